"""hosts: what the Corefile may say."""

from pathlib import Path

import pytest

from dnsserver.plugins.hosts import setup
from dnsserver.plugins.hosts.settings import HostsSettings
from dnsserver.wire import names
from tests.plugins.helpers import directive, refused

ROOT = (names.ROOT,)
EXAMPLE = (names.from_text("example.org."),)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("hosts", HostsSettings(zones=ROOT)),
        ("hosts /nowhere/hosts", HostsSettings(zones=ROOT, file="/nowhere/hosts")),
        ("hosts some/file Example.org", HostsSettings(zones=EXAMPLE, file="/base/some/file")),
        ("hosts {\nttl 65535\n}", HostsSettings(zones=ROOT, ttl=65535)),
        ("hosts {\nttl 1 2\n}", HostsSettings(zones=ROOT, ttl=1)),
        ("hosts {\nno_reverse\n}", HostsSettings(zones=ROOT, reverse=False)),
        ("hosts {\nreload 1m\n}", HostsSettings(zones=ROOT, reload_s=60)),
        ("hosts {\nreload 0\n}", HostsSettings(zones=ROOT, reload_s=0)),
        ("hosts {\nfallthrough\n}", HostsSettings(zones=ROOT, fallthrough=ROOT)),
        ("hosts {\nfallthrough example.org\n}", HostsSettings(zones=ROOT, fallthrough=EXAMPLE)),
        (
            "hosts {\nfallthrough_unsupported\nfallthrough\n}",
            HostsSettings(zones=ROOT, fallthrough=ROOT, passes_unsupported=True),
        ),
        (
            "hosts {\n10.0.0.1 a b\n::1 c # d\nfallthrough\n}",
            HostsSettings(zones=ROOT, lines=("10.0.0.1 a b", "::1 c"), fallthrough=ROOT),
        ),
    ],
)
def test_settings(text: str, settings: HostsSettings) -> None:
    assert HostsSettings.from_directive(directive(text), (".",), Path("/base")) == settings


PARSING = "Corefile:{} - Error during parsing: {}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("hosts\nhosts", "this plugin can only be used once per Server Block (Corefile:3)"),
        ("hosts {\nttl\n}", PARSING.format(3, "ttl needs a time in second")),
        ("hosts {\nttl 5s\n}", PARSING.format(3, "ttl needs a number of second")),
        ("hosts {\nttl 0\n}", PARSING.format(3, "ttl provided is invalid")),
        ("hosts {\nttl 65536\n}", PARSING.format(3, "ttl provided is invalid")),
        ("hosts {\nreload\n}", PARSING.format(3, "reload needs a duration (zero seconds to disable)")),
        ("hosts {\nreload 1s 2s\n}", PARSING.format(3, "reload needs a duration (zero seconds to disable)")),
        ("hosts {\nreload 30\n}", PARSING.format(3, "invalid duration for reload '30'")),
        ("hosts {\nreload -1s\n}", PARSING.format(3, "invalid negative duration for reload '-1s'")),
        ("hosts {\nfallthrough\n10.0.0.1 a\n}", PARSING.format(4, "unknown property '10.0.0.1'")),
        ("hosts {\nfallthrough\nttll 5\n}", PARSING.format(4, "unknown property 'ttll'")),
        (
            "hosts {\nfallthrough_unsupported\n}",
            PARSING.format(2, "fallthrough_unsupported requires fallthrough"),
        ),
        (
            "hosts {\nfallthrough\nfallthrough_unsupported x\n}",
            PARSING.format(4, "Wrong argument count or unexpected line ending after 'x'"),
        ),
        (
            "hosts /etc/hosts/x",
            PARSING.format(
                2, "unable to access hosts file '/etc/hosts/x': stat /etc/hosts/x: not a directory"
            ),
        ),
        ("hosts f a..b", "zone is not a valid domain name: a..b (Corefile:2)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/hosts: {error}"
