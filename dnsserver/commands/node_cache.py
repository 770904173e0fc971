"""`dnsserver node-cache`: DNS on each node, with the command line of NodeLocal DNSCache's node-cache
(coredns-compat.md, section 7.1)."""

import argparse
import contextlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnsserver.commands.coredns import add_serving, serve_corefile
from dnsserver.commands.printing import fail
from dnsserver.config import seconds
from dnsserver.node import NodeError, NodeSettings
from dnsserver.node.settings import SYNC_S, Address, service_variable
from dnsserver.observability import logs
from dnsserver.runtime.privileges import Capability, use_granted_privileges

#: Where kubelet mounts the ConfigMap of kube-dns.
KUBE_DNS = Path("/etc/kube-dns")
COREFILE = Path("/etc/Corefile")
MEMORY = Path("/dev/shm")
#: One process: the memory of a second one, on each node of a cluster, buys little (docs/node-local.md, "Resources").
DEFAULT_WORKERS = "0"
#: How an interface may be called (IFNAMSIZ in linux/if.h), and nftables' table.
_INTERFACE = re.compile("[A-Za-z][A-Za-z0-9_.-]{0,14}")

_PORT_MAX = 65_535

_SWITCHES = ("setupinterface", "setupiptables", "skipteardown", "reloadwithsignal")


def run(words: list[str]) -> int:
    options = read_words(words)
    # Imported here: a command line that is wrong is told at once.
    from dnsserver.node.agent import run_node

    logs.configure()
    use_granted_privileges(Capability.NET_BIND_SERVICE | Capability.NET_ADMIN)
    try:
        if options.pidfile is not None:
            options.pidfile.unlink(missing_ok=True)  # of one that was killed; others wait for it to be there
        with _writable(Path(options.conf)) as conf:
            options.conf = str(conf)
            return run_node(settings_of(options), lambda tell: serve_corefile(options, tell))
    except NodeError as error:
        return fail(str(error))
    except OSError as error:
        return fail(str(error))


@contextlib.contextmanager
def _writable(conf: Path) -> Iterator[Path]:
    """*conf*; where this user may not write there, a file of that name in memory: node-cache runs as root, whose
    /etc/Corefile is, and the image of this server does not."""
    if os.access(conf.parent, os.W_OK) or not (conf.parent.is_dir() and os.access(MEMORY, os.W_OK)):
        yield conf
        return
    with tempfile.TemporaryDirectory(prefix="dnsserver-", dir=MEMORY) as folder:
        yield Path(folder) / conf.name


def read_words(words: list[str]) -> argparse.Namespace:
    """The flags. Exits with code 2 when they are wrong."""
    parser = _parser()
    options = parser.parse_args(_as_in_go(words))
    if options.rest:
        parser.error(f"extra words: {options.rest}; switches are written -NAME=true or -NAME=false")
    if not options.localip:
        parser.error('invalid localip specified - ""; give -localip the addresses to serve: 169.254.20.10')
    if not 0 < options.port <= _PORT_MAX:
        parser.error(f"-dns.port {options.port} is no port")
    options.share_ports = True
    return options


def settings_of(options: argparse.Namespace) -> NodeSettings:
    """With what the environment says of the upstream Service."""
    kube_dns: Path | None = options.kubednscm
    if kube_dns is None and KUBE_DNS.exists():
        kube_dns = KUBE_DNS
    return NodeSettings(
        addresses=options.localip,
        port=options.port,
        interface=options.interfacename,
        manages_interface=options.setupinterface,
        manages_rules=options.setupiptables,
        health_port=options.health_port,
        base_corefile=options.basecorefile,
        corefile=Path(options.conf),
        kube_dns=kube_dns,
        upstream_service=options.upstreamsvc,
        cluster_dns=os.environ.get(service_variable(options.upstreamsvc), ""),
        metrics=options.metrics_listen_address,
        sync_s=options.syncinterval,
        reload_by_signal=options.reloadwithsignal,
        keeps=options.skipteardown,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver node-cache",
        allow_abbrev=False,
        description="Answer the pods of this node, on addresses of its own, in place of NodeLocal DNSCache"
        " (docs/node-local.md).",
    )
    flags: tuple[tuple[str, dict[str, object]], ...] = (
        ("localip", {"type": _addresses, "default": (), "metavar": "A[,B]", "help": "addresses to serve"}),
        ("setupinterface", {"type": _switch, "default": True, "help": "manage the interface (default true)"}),
        ("interfacename", {"type": _interface, "default": "nodelocaldns", "help": "default nodelocaldns"}),
        ("setupiptables", {"type": _switch, "default": True, "help": "manage the rules (default true)"}),
        (
            "syncinterval",
            {"type": _interval, "default": SYNC_S, "help": "time between checks of both (default 60s)"},
        ),
        ("basecorefile", {"type": Path, "default": Path("/etc/coredns/Corefile.base"), "help": "template"}),
        ("corefile", {"dest": "conf", "default": str(COREFILE), "help": "what is made of it; as -conf"}),
        (
            "kubednscm",
            {"type": _folder, "default": None, "help": f"folder of ConfigMap kube-dns ({KUBE_DNS})"},
        ),
        ("upstreamsvc", {"default": "kube-dns", "help": "Service of the cluster's DNS (default kube-dns)"}),
        ("health-port", {"type": _port, "default": 8080, "help": "where probes ask (default 8080)"}),
        (
            "metrics-listen-address",
            {"type": _endpoint, "default": ("0.0.0.0", 9353), "help": "counts errors (0.0.0.0:9353)"},
        ),
        ("skipteardown", {"type": _switch, "default": False, "help": "leave interface and rules at the end"}),
        ("reloadwithsignal", {"type": _switch, "default": False, "help": "reload without plugin reload"}),
    )
    for name, settings in flags:
        parser.add_argument(f"-{name}", f"--{name}", **settings)  # type: ignore[arg-type]
    add_serving(parser, DEFAULT_WORKERS)
    parser.set_defaults(conf=str(COREFILE))
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    return parser


def _as_in_go(words: Sequence[str]) -> list[str]:
    """A switch alone is true, and takes no word behind it."""
    bare = {f"{dashes}{name}" for name in _SWITCHES for dashes in ("-", "--")}
    return [f"{word}=true" if word in bare else word for word in words]


def _addresses(text: str) -> tuple[Address, ...]:
    try:
        found = tuple(dict.fromkeys(ipaddress.ip_address(part) for part in text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write addresses with commas between them") from None
    for address in found:
        if address.is_unspecified or address.is_multicast or "%" in str(address):
            raise argparse.ArgumentTypeError(
                f"{address} is no address that an interface of this node may have"
            )
    return found


_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


def _switch(text: str) -> bool:
    """As Go's strconv.ParseBool."""
    if text not in (*_TRUE, *_FALSE):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text in _TRUE


def _interface(text: str) -> str:
    if not _INTERFACE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name for an interface of up to 15 letters")
    return text


def _interval(text: str) -> float:
    """Seconds. node-cache takes the nanoseconds of a Go duration for seconds: its `60ns` is a minute."""
    number = text.removesuffix("ns")
    if number.isascii() and number.isdigit():
        found = float(number)
    else:
        try:
            found = seconds(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    if found < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than a second")
    return found


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _endpoint(text: str) -> tuple[str, int]:
    """As Go's net.Listen has it: `:9353` is every address."""
    host, colon, port = text.rpartition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} has no port: write 0.0.0.0:9353")
    return host.removeprefix("[").removesuffix("]"), _port(port)
