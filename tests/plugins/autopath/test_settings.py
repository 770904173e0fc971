"""What the directive takes, and in what words it refuses the rest."""

from pathlib import Path

import pytest

from dnsserver.config import ConfigError, parse
from dnsserver.plugins import autopath
from dnsserver.plugins.autopath.settings import RESOLV_CONF_MAX, AutopathSettings
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.sites import build_sites
from dnsserver.wire import names
from tests.plugins.helpers import FakeServer, directive, refused


def settings(text: str, folder: Path = Path("/")) -> AutopathSettings:
    return AutopathSettings.from_directive(directive(text, folder), ("block.example.",), folder)


def test_a_plugin() -> None:
    found = settings("autopath a.example @one\nautopath b.example 10.0.0.0/8 @kubernetes")
    assert found.zones == (names.from_text("b.example"), names.from_text("10.in-addr.arpa"))
    assert (found.plugin, found.search) == ("kubernetes", ())
    assert settings("autopath @kubernetes").zones == (names.from_text("block.example"),)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(
        "search A.example b.example.\nnameserver 192.0.2.1\noptions ndots:5\n"
    )
    found = settings("autopath resolv.conf", tmp_path)
    assert found.search == (names.from_text("a.example"), names.from_text("b.example"))
    assert found.plugin == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("autopath", "plugin/autopath: no resolv-conf specified (Corefile:2)"),
        (
            "autopath none",
            'plugin/autopath: failed to parse "none": open {folder}/none: no such file or directory',
        ),
        ("autopath bad", "plugin/autopath: failed to parse \"bad\": 'a..b' has an empty label"),
        ("autopath large", f'failed to parse "large": it is larger than {RESOLV_CONF_MAX} octets'),
        ("autopath {{\nttl 5\n}}", "Wrong argument count or unexpected line ending after 'ttl'"),
    ],
)
def test_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("search a..b\n")
    (tmp_path / "large").write_bytes(b"\n" * (RESOLV_CONF_MAX + 1))
    assert words.format(folder=tmp_path) in refused(
        autopath.setup, text.replace("{{", "{").replace("}}", "}"), tmp_path
    )


def test_a_plugin_that_knows_no_search_lists() -> None:
    corefile = parse(
        ". {\nautopath @whoami\nwhoami\n}", file="Corefile", directory=Path(), directives=ORDER, environ={}
    )
    with pytest.raises(
        ConfigError, match=r"^plugin/autopath: whoami does not implement the AutoPather interface"
    ):
        build_sites(corefile, FakeServer(), Path())
