"""The table of plugins, and that a process loads no more than its Corefile needs."""

import importlib
import json
import subprocess
import sys
import typing

import pytest

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.table import ORDER, SERVED
from tests.support.process import PATIENCE_S, environment

#: What takes long to import, or much memory, and is of no use to a server of the common Corefile.
SELDOM = ("dns", "cryptography", "h2", "kubernetes", "aiohttp", "yaml", "watchfiles")
COMMON = """\
.:1053 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        endpoint http://127.0.0.1:1
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . 192.0.2.53
    cache 30
    loop
    reload
    loadbalance
}
"""
#: Builds the server of a Corefile, and says which modules that took.
BUILDING = """
import json, sys
from pathlib import Path
from dnsserver import cli
from dnsserver.config import parse
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.server import ClusterDnsServer
corefile = parse(sys.stdin.read(), file="Corefile", directory=Path(), directives=ORDER, environ={})
ClusterDnsServer(corefile, Path())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_every_plugin_has_its_place() -> None:
    assert set(SERVED) <= set(ORDER)
    assert len(ORDER) == len(set(ORDER))
    assert [name for name in ORDER if name in SERVED] == SERVED


@pytest.mark.parametrize("name", SERVED)
def test_setup(name: str) -> None:
    """The table imports by name, where the type checker does not see it."""
    setup = importlib.import_module(f"dnsserver.plugins.{name}").setup
    assert list(typing.get_type_hints(setup).values()) == [Directive, Site, Plugin]


def test_the_common_corefile_loads_no_library_that_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUILDING],
        input=COMMON,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert [name for name in json.loads(done.stdout) if name in SELDOM] == []
