"""How the resolvers of programs ask: glibc, musl and Go, packet by packet, without them.

    stub = LIBRARIES["musl"].stub(Lookup("web"), resolv_conf)
    transcript = await run_virtually(stub, Servers({"10.96.0.10": ("127.0.0.1", 1053)}))
    transcript.outcome, transcript.seconds, transcript.exchanges

`machine` has the border between the libraries' rules (`glibc`, `musl`, `go`: pure) and what runs them: `virtual`, where
time is counted and not waited for, and `sockets`. `pods` has the kubelet's rules for a pod's resolv.conf.
"""

from dnsserver.stubs.asking import Servers
from dnsserver.stubs.libraries import LIBRARIES, Library
from dnsserver.stubs.outcome import Family, Lookup, Outcome
from dnsserver.stubs.sockets import run_really
from dnsserver.stubs.transcript import Exchange, Transcript
from dnsserver.stubs.virtual import Delivery, Network, run_virtually

__all__ = [
    "LIBRARIES",
    "Delivery",
    "Exchange",
    "Family",
    "Library",
    "Lookup",
    "Network",
    "Outcome",
    "Servers",
    "Transcript",
    "run_really",
    "run_virtually",
]
