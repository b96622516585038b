"""Exports of ChatGPT and Claude: the person's words on the branch shown last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.base import Skipped
from costeer.profile.importers.chats import read_export
from costeer.profile.records import Draft

LONG = " is what I wrote, and it is long enough to say something."


def node(
    name: Any, parent: Any, text: Any, role: Any = "user", time: Any = 1.0, **content: Any
) -> Any:
    message = {
        "author": {"role": role},
        "create_time": time,
        "content": {"content_type": "text", "parts": [text + LONG]} | content,
    }
    return {name: {"id": name, "parent": parent, "children": [], "message": message}}


def chatgpt(current: Any = "c", **changes: Any) -> Any:
    """A question, two answers, and a follow-up after the second one."""
    mapping = {
        "root": {"id": "root", "parent": None, "children": ["a"], "message": None},
        **node("a", "root", "First"),
        **node("b1", "a", "Answer", "assistant"),
        **node("b2", "a", "Answer", "assistant"),
        **node("dead", "b1", "Discarded", time=2.0),
        **node("c", "b2", "Second", time=3.0),
    }
    for name, other in list(mapping.items()):
        if other["parent"]:
            mapping[other["parent"]]["children"].append(name)
    return {"title": "Plans", "mapping": mapping, "current_node": current, **changes}


def claude(**changes: Any) -> Any:
    messages = [
        {"uuid": "1", "sender": "human", "text": "First" + LONG, "created_at": "2025-01-01"},
        {"uuid": "2", "sender": "assistant", "text": "Answer" + LONG},
        {"uuid": "3", "sender": "human", "content": [{"type": "text", "text": "Second" + LONG}]},
    ]
    return {"name": "Plans", "chat_messages": messages, **changes}


def read(tmp_path: Path, content: Any) -> Any:
    path = tmp_path / "conversations.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return list(read_export(path, "conversations.json"))


def texts(found: Any) -> Any:
    return [one.text.removesuffix(LONG) for one in found if isinstance(one, Draft)]


def test_chatgpt(tmp_path: Path) -> None:
    found = read(tmp_path, [chatgpt()])
    assert found[0] == Draft("sample", "First" + LONG, "Plans", "chatgpt", "1970-01-01T00:00:01Z")
    assert texts(found) == ["First", "Second"]


@pytest.mark.parametrize(
    ("current", "expected"),
    [("c", ["First", "Second"]), ("dead", ["First", "Discarded"]), (None, ["First", "Second"])],
)
def test_the_live_branch(tmp_path: Path, current: Any, expected: Any) -> None:
    assert texts(read(tmp_path, [chatgpt(current)])) == expected


def test_what_the_person_did_not_write_is_left_out(tmp_path: Path) -> None:
    export = chatgpt()
    message = export["mapping"]["a"]["message"]
    message["metadata"] = {"is_visually_hidden_from_conversation": True}
    export["mapping"]["c"]["message"]["content"]["content_type"] = "user_editable_context"
    assert texts(read(tmp_path, [export])) == []


def test_parts_that_are_images_are_left_out(tmp_path: Path) -> None:
    export = chatgpt()
    content = export["mapping"]["c"]["message"]["content"]
    content["content_type"], content["parts"] = "multimodal_text", [{"asset": 1}, "Second" + LONG]
    assert texts(read(tmp_path, [export])) == ["First", "Second"]


def test_claude(tmp_path: Path) -> None:
    found = read(tmp_path, [claude()])
    assert texts(found) == ["First", "Second"]
    assert found[0] == Draft("sample", "First" + LONG, "Plans", "claude", "2025-01-01")


def test_claude_s_live_branch(tmp_path: Path) -> None:
    export = claude()
    for message, parent in zip(export["chat_messages"], ["0", "1", "2"], strict=True):
        message["parent_message_uuid"] = parent
    export["chat_messages"].append(
        {"uuid": "4", "sender": "human", "text": "Other" + LONG, "parent_message_uuid": "2"}
    )
    assert texts(read(tmp_path, [export])) == ["First", "Other"]
    export["current_leaf_message_uuid"] = "3"
    assert texts(read(tmp_path, [export])) == ["First", "Second"]


def test_a_circle_ends(tmp_path: Path) -> None:
    export = chatgpt()
    export["mapping"]["root"]["parent"] = "c"
    assert texts(read(tmp_path, [export])) == ["First", "Second"]


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, "[1, null, {}]", '{"mapping": []}', "3"]
)
def test_what_is_no_export_is_left_out(tmp_path: Path, content: Any) -> None:
    assert all(isinstance(one, Skipped) for one in read(tmp_path, content))


NAMES = ["id", "parent", "children", "message", "author", "role", "content", "parts", "mapping"]
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from("abc"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "parent",
                    "children",
                    "message",
                    "author",
                    "role",
                    "content",
                    "parts",
                    "mapping",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from("abc"), json_values),
    json_values,
    st.lists(json_values, max_size=3),
)
def test_no_export_breaks_it(
    tmp_path_factory: pytest.TempPathFactory, mapping: Any, current: Any, messages: Any
) -> None:
    folder = tmp_path_factory.mktemp("chat")
    exports = [
        {"mapping": mapping, "current_node": current, "title": current},
        {"chat_messages": messages, "name": current, "current_leaf_message_uuid": current},
    ]
    assert all(isinstance(one, (Draft, Skipped)) for one in read(folder, exports))


@pytest.mark.slow
@given(st.data())
def test_a_changed_value_anywhere_in_a_real_export_breaks_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    export = data.draw(st.sampled_from([chatgpt(), claude()]))
    place = export
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    found = read(tmp_path_factory.mktemp("chat"), [export])
    assert all(isinstance(one, (Draft, Skipped)) for one in found)
