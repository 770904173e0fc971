"""What programs in a pod see: glibc's and musl's resolvers behind a pod's resolv.conf, in a namespace of their own."""

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.clients import dig_told
from tests.end_to_end.netns import Namespace, join
from tests.support.process import REPOSITORY, ServerProcess, wait_until
from tests.support.tools import must_run, run, tool

pytestmark = pytest.mark.netns

ZONES = REPOSITORY / "zones"
SVC = "svc.cluster.local"
HEADLESS = ["10.4.1.32", "10.4.2.41", "10.4.3.101"]
#: Seconds. Less than a resolver waits before it asks again (resolv.conf(5), `timeout`: 5 s).
PROMPT_S = 4.0
#: Seconds. Until a change on disk is served (plugins/kubernetes/README.md).
FOLLOWS_S = 1.0

#: Two zones, so that an ExternalName can lead from one into the other; every other name is asked of an upstream that
#: has none. (Without one such names are REFUSED or SERVFAIL, which musl takes for no answer: it waits for its timeout.)
COREFILE = """\
cluster.local in-addr.arpa ip6.arpa {
    bind 127.0.0.1
    errors
    kubernetes {
        manifests demo
        pods insecure
    }
}
elsewhere.test {
    bind 127.0.0.1
    errors
    kubernetes {
        manifests elsewhere
    }
}
. {
    bind 127.0.0.1
    errors
    forward . 127.0.0.1:5301
}
.:5301 {
    bind 127.0.0.1
    errors
    kubernetes {
        manifests elsewhere
    }
}
"""

ALIASES = """\
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: nginx.default.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: away}
spec: {type: ExternalName, externalName: web.default.svc.elsewhere.test}
"""

WEB = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.9.0.80, ports: [{port: 80}]}
"""

#: Prints the addresses of a name, or the name of an address.
LOOKUP_C = """\
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    char text[NI_MAXHOST];
    char mode = argc == 3 ? argv[1][0] : '?';
    struct addrinfo hints = {0}, *found, *item;
    hints.ai_family = mode == '4' ? AF_INET : mode == '6' ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = mode == 'r' ? AI_NUMERICHOST : 0;
    int error = getaddrinfo(argv[2], NULL, &hints, &found);
    for (item = error ? NULL : found; item; item = item->ai_next) {
        error = getnameinfo(item->ai_addr, item->ai_addrlen, text, sizeof text, NULL, 0,
                            mode == 'r' ? NI_NAMEREQD : NI_NUMERICHOST);
        if (error) break;
        puts(text);
    }
    if (error) puts(gai_strerror(error));
    return error ? 2 : 0;
}
"""

#: The same by Python's socket module, which calls glibc.
LOOKUP_PY = """\
import json, socket, sys
family = {"4": socket.AF_INET, "6": socket.AF_INET6, "*": socket.AF_UNSPEC}[sys.argv[1]]
try:
    found = socket.getaddrinfo(sys.argv[2], 80, family, socket.SOCK_STREAM)
except socket.gaierror as error:
    sys.exit(str(error))
print(json.dumps([item[4][0] for item in found]))
"""


@dataclass(frozen=True, slots=True)
class Pod:
    """A namespace with a server on its 127.0.0.1, port 53, and a resolv.conf that points there."""

    namespace: Namespace
    folder: Path
    server: ServerProcess

    def getent(self, database: str, name: str) -> tuple[int, list[list[str]]]:
        """Exit code, and the words of each line."""
        code, text = self.namespace.run(tool("getent"), database, name)
        return code, [line.split() for line in text.splitlines()]

    def hosts(self, name: str) -> list[str]:
        """The addresses that `getent hosts` prints."""
        code, lines = self.getent("hosts", name)
        assert code == 0, (name, self.server.told())
        return sorted(words[0] for words in lines)


@contextlib.contextmanager
def pod(folder: Path, corefile: Path) -> Iterator[Pod]:
    with Namespace() as namespace:
        # A pod has an address besides loopback's, and getaddrinfo looks at that (AI_ADDRCONFIG).
        namespace.ip("link", "add", "eth0", "type", "veth", "peer", "name", "node")
        namespace.address("eth0", ("10.4.9.9/24", "fd00:10:4::9/64"))
        for device in ("eth0", "node"):
            namespace.ip("link", "set", device, "up")
        with ServerProcess("-conf", corefile, cwd=folder, prefix=namespace.prefix) as server:
            server.wait_for("dnsserver-")
            yield Pod(namespace, folder, server)
            assert server.stop() == 0, server.told()
            assert server.stderr == ""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(ZONES / "demo", folder / "demo")
    (folder / "demo/aliases.yaml").write_text(ALIASES)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/web.yaml").write_text(WEB)
    (folder / "Corefile").write_text(COREFILE)
    with pod(folder, folder / "Corefile") as found:
        yield found


@pytest.fixture
def statefulset(tmp_path: Path) -> Iterator[Pod]:
    shutil.copytree(ZONES / "statefulset", tmp_path / "zones")
    corefile = tmp_path / "zones/Corefile"
    corefile.write_text(corefile.read_text().replace(".:1053", ".:53"))
    with pod(tmp_path, corefile) as found:
        yield found


@pytest.fixture(scope="module")
def musl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The look-up program, linked with musl."""
    folder = tmp_path_factory.mktemp("musl")
    (folder / "lookup.c").write_text(LOOKUP_C)
    must_run((tool("musl-gcc"), "-static", "-O1", "-Wall", "-o", folder / "lookup", folder / "lookup.c"))
    return folder / "lookup"


# Names and what they stand for, IPv4 and IPv6. The search list completes all but the last ones.
NAMES: tuple[tuple[str, list[str], list[str]], ...] = (
    ("headless-demo", HEADLESS, []),
    ("nginx", ["10.8.5.220"], []),
    ("nginx.default", ["10.8.5.220"], []),
    ("kube-dns.kube-system", ["10.8.0.10"], []),
    ("kube-dns.kube-system.svc", ["10.8.0.10"], []),
    ("10-4-2-41.headless-demo", ["10.4.2.41"], []),
    ("primary.database", ["192.0.2.10"], []),
    ("dual", ["10.8.6.46"], ["fd00:10:8::646"]),
    ("alias", ["10.8.5.220"], []),
    ("away", ["10.9.0.80"], []),
    (f"nginx.default.{SVC}", ["10.8.5.220"], []),
    (f"headless-demo.default.{SVC}.", HEADLESS, []),
)
#: Names without an address: none such, a namespace, an alias for a name that nobody here can resolve, one outside.
NO_NAMES = ("no-such-name", "kube-system", "nginx.kube-system", "docs", "www.example.com")

by_name = pytest.mark.parametrize(("name", "ipv4", "ipv6"), NAMES, ids=[name for name, _, _ in NAMES])


# glibc.


@pytest.mark.tool("getent", "ip")
@by_name
def test_getent_hosts(demo: Pod, name: str, ipv4: list[str], ipv6: list[str]) -> None:
    """gethostbyname2(3): IPv6 if there is any, else IPv4."""
    assert demo.hosts(name) == (ipv6 or ipv4)


@pytest.mark.tool("getent", "ip")
@by_name
def test_getent_ahosts(demo: Pod, name: str, ipv4: list[str], ipv6: list[str]) -> None:
    """getaddrinfo(3) for both families at once; one line for each socket type."""
    code, lines = demo.getent("ahosts", name)
    assert code == 0, demo.server.told()
    assert sorted({words[0] for words in lines}) == sorted(ipv4 + ipv6)
    assert sum(words[1] == "STREAM" for words in lines) == len(ipv4 + ipv6)


@pytest.mark.tool("getent", "ip")
@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("headless-demo", f"headless-demo.default.{SVC}"),
        ("alias", f"nginx.default.{SVC}"),
        ("away", "web.default.svc.elsewhere.test"),
    ],
)
def test_getent_tells_the_canonical_name(demo: Pod, name: str, canonical: str) -> None:
    _, lines = demo.getent("ahostsv4", name)
    assert lines[0][2] == canonical


@pytest.mark.tool("getent", "ip")
@pytest.mark.parametrize("name", NO_NAMES)
def test_getent_finds_nothing_and_says_so_at_once(demo: Pod, name: str) -> None:
    begun = time.monotonic()
    for database in ("hosts", "ahosts"):
        assert demo.getent(database, name) == (2, [])
    assert time.monotonic() - begun < PROMPT_S, "the resolver waited for an answer"


@pytest.mark.tool("getent", "ip")
@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.4.1.32", f"10-4-1-32.headless-demo.default.{SVC}"),
        ("10.8.5.220", f"nginx.default.{SVC}"),
        ("192.0.2.10", f"primary.database.default.{SVC}"),
        ("fd00:10:8::646", f"dual.default.{SVC}"),
    ],
)
def test_getent_reverse(demo: Pod, musl: Path, address: str, name: str) -> None:
    assert demo.getent("hosts", address) == (0, [[address, name]])
    assert demo.namespace.run(musl, "r", address) == (0, f"{name}\n")


@pytest.mark.tool("ip")
@by_name
def test_python_getaddrinfo(demo: Pod, name: str, ipv4: list[str], ipv6: list[str]) -> None:
    for mode, wanted in (("4", ipv4), ("6", ipv6), ("*", ipv4 + ipv6)):
        code, text = demo.namespace.run(sys.executable, "-I", "-S", "-c", LOOKUP_PY, mode, name)
        assert (code == 0) == bool(wanted), (mode, text)
        assert sorted(json.loads(text or "[]")) == sorted(wanted), mode


# musl.


@pytest.mark.tool("musl-gcc", "ip")
@by_name
def test_musl_getaddrinfo(demo: Pod, musl: Path, name: str, ipv4: list[str], ipv6: list[str]) -> None:
    for mode, wanted in (("4", ipv4), ("6", ipv6), ("*", ipv4 + ipv6)):
        code, text = demo.namespace.run(musl, mode, name)
        assert (code == 0) == bool(wanted), (mode, text)
        if wanted:
            assert sorted(text.splitlines()) == sorted(wanted), mode


@pytest.mark.tool("musl-gcc", "ip")
@pytest.mark.parametrize("name", NO_NAMES)
def test_musl_finds_nothing_and_says_so_at_once(demo: Pod, musl: Path, name: str) -> None:
    begun = time.monotonic()
    code, text = demo.namespace.run(musl, "*", name)
    assert code == 2, text
    assert time.monotonic() - begun < PROMPT_S, "the resolver waited for an answer"


# The pod that gets another address.


@pytest.mark.tool("getent", "musl-gcc", "ip")
@pytest.mark.alone
def test_name_of_a_pod_follows_it(statefulset: Pod, musl: Path) -> None:
    name = "hello-kubernetes-0.headless-demo"
    assert statefulset.hosts(name) == ["10.4.2.44"]
    assert statefulset.namespace.run(musl, "4", name) == (0, "10.4.2.44\n")
    assert statefulset.hosts("headless-demo") == ["10.4.1.35", "10.4.2.44", "10.4.3.104"]

    path = statefulset.folder / "zones/pod-addresses.yaml"
    path.write_text(path.read_text().replace("10.4.2.44", "10.4.2.45"))
    changed = time.monotonic()
    wait_until(lambda: statefulset.hosts(name) == ["10.4.2.45"], statefulset.server.told, 5)
    assert time.monotonic() - changed < FOLLOWS_S

    assert statefulset.namespace.run(musl, "4", name) == (0, "10.4.2.45\n")
    assert statefulset.hosts("headless-demo") == ["10.4.1.35", "10.4.2.45", "10.4.3.104"]
    assert statefulset.getent("hosts", "10.4.2.45") == (0, [["10.4.2.45", f"{name}.default.{SVC}"]])


# Many addresses, one wildcard.

#: The addresses of the server's host; the last of each family stands on another device than the question comes in by.
SERVER_ADDRESSES = (
    "198.18.0.1",
    "198.18.0.2",
    "198.18.1.1",
    "fd00:198:18::1",
    "fd00:198:18::2",
    "fd00:198:19::1",
)


@pytest.fixture(scope="module")
def far_client() -> Iterator[Namespace]:
    """A namespace linked to another, where a server without `bind` has many addresses."""
    with Namespace() as host, Namespace() as client:
        near, far = join(host, client)
        host.address(near, ("198.18.0.1/24", "198.18.0.2/24", "fd00:198:18::1/64", "fd00:198:18::2/64"))
        host.address("lo", ("198.18.1.1/32", "fd00:198:19::1/128"))
        client.address(far, ("198.18.0.9/24", "fd00:198:18::9/64"))
        client.ip("route", "add", "198.18.1.1/32", "via", "198.18.0.1")
        client.ip("-6", "route", "add", "fd00:198:19::1/128", "via", "fd00:198:18::1")
        corefile = "cluster.local {\n kubernetes {\n manifests zones/demo\n }\n}\n"
        with ServerProcess("-conf", "stdin", cwd=REPOSITORY, prefix=host.prefix, stdin=corefile) as server:
            server.wait_for("dnsserver-")
            yield client
            assert server.stop() == 0, server.told()


@pytest.mark.tool("dig", "ip")
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
@pytest.mark.parametrize("address", SERVER_ADDRESSES)
def test_reply_leaves_from_the_address_that_was_asked(
    far_client: Namespace, address: str, transport: str
) -> None:
    """dig drops a reply that comes from elsewhere ("reply from unexpected source"), and times out."""
    code, text = far_client.run(
        tool("dig"), f"@{address}", transport, "+time=2", "+tries=1", f"nginx.default.{SVC}", "A"
    )
    assert code == 0, text
    assert "unexpected source" not in text
    told = dig_told(text)
    assert (told.status, told.data, told.source) == ("NOERROR", ("10.8.5.220",), address)


def test_namespaces_are_cleaned_up() -> None:
    with Namespace() as namespace:
        assert namespace.name in run((tool("ip"), "netns", "list")).stdout
        assert namespace.run("cat", "/etc/resolv.conf")[1].startswith("nameserver 127.0.0.1\n")
    assert namespace.name not in run((tool("ip"), "netns", "list")).stdout
    assert not (Path("/etc/netns") / namespace.name).exists()
