from costeer.privacy.preflight import describe, held
from costeer.privacy.values import Value

NAME, PLACE = Value("Maren Okafor", "name"), Value("Porto", "place")
OPEN = Value("Braga", "place", "open")


def test_values_that_stand_in_a_request_are_named_by_their_kind_only() -> None:
    found = held([NAME, PLACE, OPEN], ["Where is OKAFOR?", "Braga and Oporto"])
    assert found == [NAME]
    line = describe(found, replaced=True)
    assert "1 value of yours (name)" in line
    assert "Okafor" not in line
    assert "Stand-ins go up for 1 value" in line


def test_without_a_guard_the_way_out_is_named() -> None:
    line = describe([NAME, PLACE], replaced=False)
    assert "2 values of yours (name, place)" in line
    assert "--guard stand-in" in line
    assert describe([], replaced=False) == ""
