import pytest

from costeer import settings
from costeer.exceptions import UsageError


@pytest.mark.parametrize(
    ("toml", "environ", "field", "expected"),
    [
        ("", {}, "top_k", 64),
        ("top_k = 20", {}, "top_k", 20),
        ("retries = 9", {}, "retries", 9),
        ("top_k = 20", {"COSTEER_TOP_K": "30"}, "top_k", 30),
        ("temperature = 1", {}, "temperature", 1.0),
        ('strength = "paper"', {}, "strength", "paper"),
        ("strength = 0.8", {}, "strength", "0.8"),
        ("", {"COSTEER_LOCAL": ""}, "local", None),
        ("", {"COSTEER_CLOUD": "http://x"}, "cloud", "http://x"),
        ("", {"COSTEER_HOME": "/somewhere", "COSTEER_DEBUG": "1"}, "cloud", "local"),
    ],
)
def test_the_environment_goes_before_the_file(tmp_path, toml, environ, field, expected):
    (tmp_path / "costeer.toml").write_text(toml)
    assert getattr(settings.load(environ, tmp_path), field) == expected


@pytest.mark.parametrize(
    ("toml", "environ", "words"),
    [
        ("colour = 1", {}, "not a setting"),
        ("top_k = [1]", {}, "not a whole number"),
        ("top_k = true", {}, "not a whole number"),
        ("top_k = ", {}, "cannot be read"),
        ("", {"COSTEER_TOP_P": "much"}, "not a number"),
    ],
)
def test_what_is_not_understood(tmp_path, toml, environ, words):
    (tmp_path / "costeer.toml").write_text(toml)
    with pytest.raises(UsageError, match=words):
        settings.load(environ, tmp_path)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "costeer.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load({}, tmp_path)


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path))
    assert settings.home() == tmp_path
    monkeypatch.delenv("COSTEER_HOME")
    assert settings.home().name == "costeer"
