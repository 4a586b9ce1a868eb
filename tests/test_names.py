"""Names from outside: which are refused, and which paths may lead out of a folder."""

from __future__ import annotations

import pytest

from srbench.errors import SrbenchError
from srbench.names import check_name, leads_out


@pytest.mark.parametrize(
    "name", ["", ".", "..", "=a", "+a", "-a", "@a", "＝a", " a", "a ", "a\nb", "a\0b", "a\x1b[31m", "\ta"]
)
def test_refused(name: str):
    with pytest.raises(SrbenchError, match=r"a thing's name cannot be ") as error:
        check_name("a thing's name", name)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "is empty"),
        ("..", "only dots"),
        ("=x", "begins with =, and a spreadsheet"),
        ("a ", "a blank before or after"),
        ("a\nb", "does not print"),
    ],
)
def test_the_message_says_the_one_rule_that_was_broken(name: str, rule: str):
    with pytest.raises(SrbenchError, match=rule) as error:
        check_name("a thing's name", name)
    assert str(error.value).count(": ") == 1


@pytest.mark.parametrize(
    "name", ["a", "ü-net", "a=b", "a@weights.safetensors", "<script>", ".a", "net+", "日本", "two words"]
)
def test_accepted(name: str):
    check_name("a thing's name", name)


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", "a/..", "..\\a", "/a", "\\a", "C:a", "C:\\a", "//host/share/a", "\\\\host\\share\\a", "a\0b"],
)
def test_leads_out(path: str):
    assert leads_out(path)


@pytest.mark.parametrize("path", ["a", "a/b", "a/b..c", "...", "a.toml", "./a", "lists/half.txt"])
def test_stays_inside(path: str):
    assert not leads_out(path)
