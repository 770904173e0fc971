"""A parent process and its children: one control, N workers, each forked anew when it dies or hangs (Linux), and all of
them when another crew is to take their place.

The parent is synchronous and has neither threads nor an event loop, so that it may fork at any time. What a child does
is a `Role`; nothing here knows of DNS.
"""

from dnsserver.runtime.processes.board import CONTROL_NUMBER, Board, Kind, Reason, RestartCounters
from dnsserver.runtime.processes.child import Role
from dnsserver.runtime.processes.cpus import memory_limit, worker_count
from dnsserver.runtime.processes.family import Limits, ProcessStartError
from dnsserver.runtime.processes.link import ChildLink
from dnsserver.runtime.processes.slots import Slot
from dnsserver.runtime.processes.supervisor import Crew, Supervisor

__all__ = [
    "CONTROL_NUMBER",
    "Board",
    "ChildLink",
    "Crew",
    "Kind",
    "Limits",
    "ProcessStartError",
    "Reason",
    "RestartCounters",
    "Role",
    "Slot",
    "Supervisor",
    "memory_limit",
    "worker_count",
]
