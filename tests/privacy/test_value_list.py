from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy.value_list import FILE, load_values, save_values
from costeer.privacy.values import Value


def test_values_come_back_as_they_were_kept(tmp_path: Any) -> None:
    assert load_values(tmp_path) == []
    values = [
        Value("José", "name", "open"),
        Value("東京", "place"),
        Value("x1", "other", "withheld"),
    ]
    save_values(values, tmp_path)
    assert load_values(tmp_path) == values
    save_values([], tmp_path)
    assert load_values(tmp_path) == []


@pytest.mark.parametrize(
    "damaged", ["", "{", "{}x", "[1]", '[{"text": "Ada"}, {"text": ""}]', '[{"name": "Ada"}]']
)
def test_a_damaged_list_stops_the_work_and_is_not_repeated(tmp_path: Any, damaged: Any) -> None:
    (tmp_path / FILE).write_text(damaged)
    with pytest.raises(GuardError, match="damaged") as caught:
        load_values(tmp_path)
    assert "Ada" not in str(caught.value)
