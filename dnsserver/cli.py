"""The command line: CoreDNS's flags, node-cache's, or a command with options of its own (`commands/`).

Exit codes: 0 all well, 1 configuration or start failed, 2 the command line is wrong (coredns-compat.md, 5.3).
"""

import importlib
import sys
from collections.abc import Sequence

#: Command -> its module, which is imported only when it runs: a server does without the tools.
COMMANDS = {
    "check": "dnsserver.commands.check",
    "compare": "dnsserver.commands.compare",
    "diff": "dnsserver.commands.diff",
    "explain": "dnsserver.commands.explain",
    "lint": "dnsserver.commands.lint",
    "names": "dnsserver.commands.names",
    "node-cache": "dnsserver.commands.node_cache",
    "resolve": "dnsserver.commands.resolve",
    "serve": "dnsserver.commands.serve",
}

#: The flag that node-cache cannot do without and CoreDNS does not have: the DaemonSet of NodeLocal DNSCache has flags
#: only, and no command.
NODE_CACHE_FLAG = "localip"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        return int(importlib.import_module(COMMANDS[words[0]]).run(words[1:]))
    if any(word.lstrip("-").partition("=")[0] == NODE_CACHE_FLAG for word in words if word.startswith("-")):
        return int(importlib.import_module(COMMANDS["node-cache"]).run(words))
    from dnsserver.commands import coredns

    return coredns.run(words, tuple(COMMANDS))
