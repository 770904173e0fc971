"""What a DNS server can do wrong, by script: for tests of those who ask it, and never for a cluster.

A script is a list of faults. Each says what goes wrong, and when: for which client, name, type, transport, at which
time that a client asks this question, and with what probability. The same seed and the same questions give the same
faults, whatever is asked at the same time (`dice`).

No Corefile leads here: `dnsserver serve --faults`, `ClusterDNS(faults=...)` and the pytest plugin do.
"""

from dnsserver.faults.fault import (
    Fault,
    FaultError,
    cut,
    delay,
    drop,
    rcode,
    truncate,
    wrong_id,
)
from dnsserver.faults.injecting import Faults
from dnsserver.faults.script import read_script
from dnsserver.faults.transcript import Exchange, Transcript

__all__ = [
    "Exchange",
    "Fault",
    "FaultError",
    "Faults",
    "Transcript",
    "cut",
    "delay",
    "drop",
    "rcode",
    "read_script",
    "truncate",
    "wrong_id",
]
