"""view: which server block takes a query, by a whole server."""

import dns.asyncquery
import dns.message
import pytest

from dnsserver.config import ConfigError
from dnsserver.plugins.view import setup
from tests.plugins.helpers import refused
from tests.runtime.helpers import ask, rcode, server_of


def block(zone: str, answer: str, *lines: str) -> str:
    inside = "\n".join(lines)
    template = f'template ANY ANY {{\nanswer "{{{{ .Name }}}} 60 IN TXT {answer}"\n}}'
    return f"{zone}:0 {{\nbind 127.0.0.1\n{inside}\n{template}\n}}\n"


def view(name: str, *conditions: str) -> str:
    return f"view {name} {{\n" + "".join(f"expr {each}\n" for each in conditions) + "}"


async def answers(corefile: str, *asked: tuple[str, str]) -> list[str]:
    """The text that each question (name, type) gets, or the RCODE."""
    found = []
    async with server_of(corefile) as server:
        port = server.listeners[0].endpoints[0][1]
        for name, rtype in asked:
            reply = await ask(port, name, rtype)
            texts = [item.to_text().strip('"') for rrset in reply.answer for item in rrset]
            found.append(texts[0] if texts else rcode(reply))
    return found


async def test_first_block_whose_conditions_are_all_true() -> None:
    corefile = (
        block(".", "txt", view("t", "type() == 'TXT'", "name() startsWith 'a'"))
        + block(".", "mx", view("m", "type() == 'MX' && incidr(client_ip(), '127.0.0.0/8')"))
        + block(".", "rest")
    )
    asked = (("a.test", "TXT"), ("b.test", "TXT"), ("a.test", "MX"), ("a.test", "AAAA"))
    assert await answers(corefile, *asked) == ["txt", "rest", "mx", "rest"]


async def test_a_block_without_view_takes_what_stands_behind_it() -> None:
    corefile = block(".", "all") + block(".", "never", view("v", "true"))
    assert await answers(corefile, ("a.test", "TXT")) == ["all"]


async def test_the_zones_above_are_tried_when_no_block_takes_it() -> None:
    corefile = block("a.test", "inner", view("v", "type() == 'TXT'")) + block("test", "outer")
    asked = (("x.a.test", "TXT"), ("x.a.test", "MX"), ("x.b.test", "TXT"))
    assert await answers(corefile, *asked) == ["inner", "outer", "outer"]


async def test_nobody_takes_it() -> None:
    corefile = block("test", "never", view("v", "false")) + block(
        "test", "never", view("w", "incidr('x', 'y')")
    )
    assert await answers(corefile, ("a.test", "TXT")) == ["REFUSED"]


async def test_a_condition_that_is_no_truth_value_is_not_true() -> None:
    assert await answers(block("test", "never", view("v", "1")), ("a.test", "TXT")) == ["REFUSED"]
    assert await answers(block("test", "yes", "view v"), ("a.test", "TXT")) == ["yes"]


async def test_metadata_in_conditions() -> None:
    corefile = block("test", "yes", "metadata", view("v", "metadata('view/name') == 'v'"))
    assert await answers(corefile, ("a.test", "TXT")) == ["yes"]
    corefile = block("test", "never", view("v", "metadata('view/name') == 'v'"))
    assert await answers(corefile, ("a.test", "TXT")) == ["REFUSED"]


async def test_repeated_questions_are_decided_each_time() -> None:
    corefile = block(".", "odd", view("v", "id() % 2 == 1")) + block(".", "even")
    async with server_of(corefile) as server:
        port = server.listeners[0].endpoints[0][1]
        for number in (1, 2, 3, 4, 5):
            question = dns.message.make_query("a.test", "TXT", id=number)
            reply = await dns.asyncquery.udp(question, "127.0.0.1", port=port, timeout=10)
            assert ("odd" in reply.answer[0].to_text()) is (number % 2 == 1)


async def test_metrics_name_the_view() -> None:
    corefile = block(".", "one", "prometheus localhost:0", view("v", "type() == 'TXT'"))
    async with server_of(corefile) as server:
        await ask(server.listeners[0].endpoints[0][1], "a.test", "TXT")
        measured = server.measured()
        assert [key[1:] for key, found in measured.queries.zones.items() if found.exchanges] == [(".", "v")]
        assert {(zone, name) for _, zone, name, _ in measured.enabled} == {(".", "v")}


def test_two_blocks_of_one_zone_need_views() -> None:
    with pytest.raises(ConfigError, match="it is already defined"):
        server_of(block(".", "a") + block(".", "b"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("view", "Wrong argument count or unexpected line ending after 'view'"),
        ("view a b", "Wrong argument count or unexpected line ending after 'b'"),
        ("view a {\n nope\n}", "unknown property 'nope'"),
        ("view a\nview b", "this plugin can only be used once per Server Block"),
        ("view a {\n expr invalid expression\n}", "unknown name invalid (1:1)"),
        ("view a {\n expr name() == 1\n}", "invalid operation: == (mismatched types string and int)"),
        ("view a {\n expr {'a': 1}\n}", "maps are not supported"),
        ("view a {\n expr\n}", "unexpected token 'EOF'"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    message = refused(setup, text)
    assert message.startswith("plugin/view: ")
    assert reason in message
    assert "Corefile:" in message
