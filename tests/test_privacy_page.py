"""docs/privacy.md: every "cannot" names a test, and the table is right."""

import math
import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text("utf-8")


def test_every_cannot_names_the_test_that_holds_it() -> None:
    points = re.findall(r"^- .*?(?=^\S|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    claims = [point for point in points if "**cannot**" in point]
    assert len(claims) > 8
    assert PAGE.count("**cannot**") == len(claims)
    assert [claim for claim in claims if "](../tests/" not in claim] == []


def test_the_table_of_epsilon_is_right() -> None:
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \|(.*)\|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for epsilon, ratio, cells in rows:
        bound = math.exp(int(epsilon))
        assert float(ratio) == round(bound, 1)
        shares = [float(cell.strip(" %")) for cell in cells.split("|")]
        assert shares == [round(min(100 * bound / m, 100), 1) for m in (20, 100, 1000)]
