"""The watch of these tests sees what it must see."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("fetch('http://127.0.0.1:9/').catch(() => {})", {"policy", "console"}),
        ("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://a.test/x.png\">')",
         {"policy", "console"}),
        ("document.body.setAttribute('style', 'color: red')", {"policy", "console"}),
        ("setTimeout(() => { throw new Error('no') })", {"error"}),
        ("console.log('anything')", {"console"}),
    ],
)  # fmt: skip
def test_it_sees(person: Any, what: Any, kinds: Any) -> None:
    person.page.evaluate(what)
    person.page.wait_for_timeout(100)
    assert {problem.split(":")[0] for problem in person.watch.problems} >= kinds
    person.watch.problems.clear()


def test_it_sees_a_request_to_somebody_else(context: Any, served: Any) -> None:
    context.new_page().goto("data:text/html,<img src='http://127.0.0.1:9/x.png'>")
    context.watch.expected("request")
    context.watch.problems.clear()
