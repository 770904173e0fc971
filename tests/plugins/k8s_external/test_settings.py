"""What the directive takes, and in what words it refuses the rest."""

from pathlib import Path

import pytest

from dnsserver.config import ConfigError, parse
from dnsserver.plugins import k8s_external
from dnsserver.plugins.k8s_external.settings import ExternalSettings
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.sites import build_sites
from dnsserver.wire import names
from tests.plugins.helpers import FakeServer, directive, refused


def settings(text: str) -> ExternalSettings:
    return ExternalSettings.from_directive(directive(text), ("block.example.",))


def test_defaults() -> None:
    found = settings("k8s_external")
    assert found.zones == (names.from_text("block.example."),)
    assert (found.apex, found.ttl, found.headless, found.fallthrough) == (b"\3dns", 5, False, ())


def test_all_options() -> None:
    found = settings(
        "k8s_external a.example 10.0.0.0/8 {\napex NS\nttl 0\nheadless\nfallthrough a.example\n}\n"
        "k8s_external b.example"
    )
    assert found.zones == (names.from_text("b.example"),)
    assert (found.apex, found.ttl, found.headless) == (b"\2ns", 0, True)
    assert found.fallthrough == (names.from_text("a.example"),)
    assert settings("k8s_external {\nfallthrough\n}").fallthrough == (names.ROOT,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ttl", "Wrong argument count or unexpected line ending after 'ttl'"),
        ("ttl 3601", "ttl must be in range [0, 3600]: 3601"),
        ("ttl -1", "ttl must be in range [0, 3600]: -1"),
        ("ttl x", 'strconv.Atoi: parsing "x": invalid syntax'),
        ("apex", "Wrong argument count or unexpected line ending after 'apex'"),
        ("apex a..b", "apex: 'a..b' has an empty label"),
        ("apex .", "apex must be a name below the zone"),
        ("headless yes", "unknown property 'yes'"),
        ("upstream", "unknown property 'upstream'"),
    ],
)
def test_refused(options: str, words: str) -> None:
    text = refused(k8s_external.setup, f"k8s_external {{\n{options}\n}}")
    assert text.startswith("plugin/k8s_external: ")
    assert "Corefile:3" in text
    assert words in text


def test_without_a_cluster() -> None:
    corefile = parse(
        ". {\nk8s_external example.org\n}", file="Corefile", directory=Path(), directives=ORDER, environ={}
    )
    with pytest.raises(
        ConfigError, match=r"^plugin/k8s_external: kubernetes plugin not loaded \(Corefile:2\)$"
    ):
        build_sites(corefile, FakeServer(), Path())
