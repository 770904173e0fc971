"""Label selectors: what they choose, how they are written for the API, and what is refused."""

import pytest

from dnsserver.sources.selectors import SelectorError, parse

LABELS = {"app": "web", "tier": "front", "empty": "", "example.com/zone": "a"}

#: Selector, its text for the API, and whether it chooses LABELS.
CASES = (
    ("app=web", "app=web", True),
    ("app==web", "app=web", True),
    (" app = web ", "app=web", True),
    ("app=api", "app=api", False),
    ("none=web", "none=web", False),
    ("app!=api", "app!=api", True),
    ("app!=web", "app!=web", False),
    ("none!=web", "none!=web", True),
    ("app in (web, api)", "app in (api,web)", True),
    ("app in (api)", "app=api", False),
    ("app in(api,db)", "app in (api,db)", False),
    ("app notin (api,db)", "app notin (api,db)", True),
    ("app notin (web,db)", "app notin (db,web)", False),
    ("none notin (a,b)", "none notin (a,b)", True),
    ("app", "app", True),
    ("none", "none", False),
    ("!app", "!app", False),
    ("! none", "!none", True),
    ("empty=", "empty=", True),
    ("app=", "app=", False),
    ("empty in ()", "empty=", True),
    ("empty in (,x)", "empty in (,x)", True),
    ("app=web,tier!=back,!none", "app=web,tier!=back,!none", True),
    ("app=web, tier in (back)", "app=web,tier=back", False),
    ("example.com/zone in (a,b)", "example.com/zone in (a,b)", True),
    ("in=out", "in=out", False),
)


@pytest.mark.parametrize(("text", "shown", "chooses"), CASES)
def test_selector(text: str, shown: str, chooses: bool) -> None:
    selector = parse(text)
    assert selector.matches(LABELS) is chooses
    assert selector.text == str(selector) == shown
    assert parse(selector.text) == selector


BAD = (
    ("", 1, "a label key is expected, not the end; write for example app=web"),
    ("app=web,", 9, "a label key is expected, not the end; write for example app=web"),
    (",app", 1, "a label key is expected, not ','; write for example app=web"),
    ("=web", 1, "a label key is expected, not '='; write for example app=web"),
    ("app web", 5, "'web' is no operator; use =, ==, !=, in (...) or notin (...)"),
    ("app>3", 4, "'>' is no operator; use =, ==, !=, in (...) or notin (...)"),
    ("app=web tier=front", 9, "'tier' is not expected; separate requirements by commas"),
    ("app in web", 8, "'(' is expected after in and notin; write for example app in (web, api)"),
    ("app in (web", 12, "')' is expected; close the list of values, and put commas between them"),
    ("app in (web api)", 13, "')' is expected; close the list of values, and put commas between them"),
    ("!app=web", 5, "'=' is not expected; separate requirements by commas"),
    ("Ex.com/app=web", 1, "'Ex.com' is no prefix of a label key; use a DNS name in lower case"),
    ("-app=web", 1, "'-app' is no name of a label; use at most 63 letters, digits, '-', '_', '.', "),
    ("app=-web", 5, "'-web' is no label value; use at most 63 letters, digits, '-', '_', '.', "),
    ("app=(web)", 5, "'(' is no label value; use at most 63"),
    (f"app={'x' * 64}", 5, "is no label value; use at most 63 letters"),
    (f"{'x' * 64}=a", 1, "is no name of a label; use at most 63 letters"),
)


@pytest.mark.parametrize(("text", "place", "says"), BAD)
def test_refused(text: str, place: int, says: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"label selector {text!r}, character {place}: ")
    assert says in str(caught.value)
