"""The pytest plugin: fixtures `cluster_dns` and `kube_api` (docs/testing.md).

pytest imports this in every run of whoever has the package installed: the server is imported when a test first asks for
a fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dnsserver.testing.threaded_cluster_dns import ThreadedClusterDNS
    from dnsserver.testing.threaded_kube_api import ThreadedKubeApi

MARKER = "cluster_dns"
#: What the marker may say, besides `manifests`: arguments of ThreadedClusterDNS.
OPTIONS = ("zone", "host", "options", "families", "nodes", "faults", "seed")


def pytest_configure(config: pytest.Config) -> None:
    text = f"{MARKER}(manifests, {', '.join(OPTIONS)}): what the fixture cluster_dns serves, and how"
    config.addinivalue_line("markers", text)


@pytest.fixture
def cluster_dns_manifests() -> Any:
    """The cluster that tests begin with: override it in a module or conftest. A path, YAML text, an object, or a
    sequence of these."""
    return ()


@pytest.fixture
def cluster_dns(
    request: pytest.FixtureRequest, cluster_dns_manifests: Any, _dnsserver_cluster: "ThreadedKubeApi"
) -> "Iterator[ThreadedClusterDNS]":
    """The DNS of a cluster, in process, on a free port of 127.0.0.1; a new one for each test.

    It serves `cluster_dns_manifests` and the manifests of all `cluster_dns` markers of the test, its class and its
    module, the nearest last; and whatever is changed in it, or through `kube_api`, which is the same cluster's.
    """
    from dnsserver.testing.documents import objects_of
    from dnsserver.testing.threaded_cluster_dns import ThreadedClusterDNS

    manifests, options = _marked(request)
    folder = request.path.parent
    objects = [obj for given in (cluster_dns_manifests, *manifests) for obj in objects_of(given, folder)]
    with ThreadedClusterDNS(objects, kube_api=_dnsserver_cluster, **options) as running:
        yield running


@pytest.fixture
def kube_api(_dnsserver_cluster: "ThreadedKubeApi") -> "ThreadedKubeApi":
    """A Kubernetes API server in memory, on a free port of 127.0.0.1; a new one for each test."""
    _dnsserver_cluster.listen()
    return _dnsserver_cluster


@pytest.fixture
def _dnsserver_cluster() -> "Iterator[ThreadedKubeApi]":
    """The cluster that both are of."""
    from dnsserver.testing.threaded_kube_api import ThreadedKubeApi

    cluster = ThreadedKubeApi()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def _marked(request: pytest.FixtureRequest) -> tuple[list[Any], dict[str, Any]]:
    """The manifests of all markers, the nearest last; of every other argument the nearest."""
    manifests: list[Any] = []
    options: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):
        unknown = set(marker.kwargs) - {"manifests", *OPTIONS}
        if unknown or len(marker.args) > 1 or (marker.args and "manifests" in marker.kwargs):
            raise pytest.UsageError(
                f"{request.node.nodeid}: {MARKER}{sorted(unknown) or ''}: give manifests and"
                f" {', '.join(OPTIONS)} by name"
            )
        manifests += [*marker.args, *([marker.kwargs["manifests"]] if "manifests" in marker.kwargs else [])]
        for name in OPTIONS:
            if name in marker.kwargs:
                options.setdefault(name, marker.kwargs[name])
    return manifests[::-1], options


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Two answers side by side, question by question."""
    if op != "==" or not (_is_answer(left) and _is_answer(right)):
        return None
    from difflib import ndiff

    lines = ndiff(str(right).splitlines(), str(left).splitlines())
    return ["two answers differ (- right, + left):", *(line for line in lines if not line.startswith("?"))]


def _is_answer(value: object) -> bool:
    """Without importing what may never have been needed."""
    return (type(value).__module__, type(value).__name__) == ("dnsserver.testing.answers", "Answer")
