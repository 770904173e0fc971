"""metadata: which labels a query gets, and who sees them."""

import logging
from dataclasses import replace

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.log import setup as setup_log
from dnsserver.plugins.metadata import setup
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from tests.plugins.helpers import directive, handler, query, refused, replying, site

GIVING = (
    Plugin(name="one", labels=lambda query: {"one/name": lambda: names.to_text(query.name)}),
    Plugin(name="none"),
    Plugin(name="two", labels=lambda _: {"two/a": lambda: "a", "two/b": lambda: ""}),
)


async def labels(text: str, asked: Query) -> dict[str, str]:
    seen: list[Query] = []

    async def note(query: Query) -> Reply | None:
        seen.append(query)
        return None

    plugin = setup(directive(text), replace(site(), block=lambda: GIVING))
    assert plugin.wrap is not None
    await plugin.wrap(note)(asked)
    return {label: value() for label, value in seen[0].labels.items()}


async def test_labels_of_all_plugins() -> None:
    expected = {"one/name": "example.org.", "two/a": "a", "two/b": ""}
    assert await labels("metadata", query("Example.org.")) == expected


async def test_zones() -> None:
    assert await labels("metadata example.org", query("a.example.org."))
    assert await labels("metadata example.org", query("example.com.")) == {}


@pytest.mark.parametrize("text", ["metadata {\n a\n}", "metadata\nmetadata"])
def test_refused(text: str) -> None:
    assert "Wrong argument count or unexpected line ending" in refused(setup, text)


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    asked = replace(query(), labels={"a/b": lambda: "value", "a/empty": lambda: ""})
    await handler(setup_log, 'log . "{/a/b}|{/a/empty}|{/a/none}"', replying(Reply()))(asked)
    assert [record.getMessage() for record in caplog.records] == ["value||-"]
