"""The Corefile of `dnsserver serve` and of the embedded server: manifests, no cluster."""

import os
from collections.abc import Sequence
from pathlib import Path

from dnsserver.config import Corefile, parse
from dnsserver.plugins.table import ORDER


def standalone_corefile(
    paths: Sequence[Path],
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    zone: str = "cluster.local",
    forward: str = "",
    log: bool = False,
    options: Sequence[str] = (),
) -> Corefile:
    """Serve *paths* on one address; with *forward*, everything else by that server. Raises ConfigError.

    *options* are further lines of the `kubernetes` block. Names outside the cluster are REFUSED without *forward*:
    the server is offline, and says so at once.
    """
    zones = " ".join(_quoted(name) for name in (zone, "in-addr.arpa", "ip6.arpa"))
    keys = (
        f".:{port}" if forward else " ".join(f"{name}:{port}" for name in (zone, "in-addr.arpa", "ip6.arpa"))
    )
    lines = [
        f"{keys} {{",
        f"bind {_quoted(address)}",
        "errors",
        *(["log"] if log else []),
        f"kubernetes {zones} {{",
        *(f"manifests {_quoted(str(path))}" for path in paths),
        "pods insecure",
        *(["fallthrough in-addr.arpa ip6.arpa"] if forward else []),
        *options,
        "}",
        *([f"forward . {_quoted(forward)}"] if forward else []),
        "}",
    ]
    return parse(
        "\n".join(lines),
        file="<command line>",
        directory=Path(),
        directives=ORDER,
        environ=os.environ,
        default_port=53,
    )


def _quoted(text: str) -> str:
    """*text* as one token: a path may hold blanks, and `#` would begin a comment."""
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
