"""dig, kdig and nslookup: their command lines, and what they print, as comparable values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.tools import run, tool

#: Owner, TTL, class, type, data of one line in presentation format.
_RECORD = re.compile(r"^(?P<owner>\S+)\s+(?P<ttl>\d+)\s+(?P<cls>IN|CH)\s+(?P<type>[A-Z0-9]+)\s+(?P<data>.+)$")


@dataclass(frozen=True, slots=True)
class Client:
    """One program over one transport."""

    program: str
    tcp: bool

    def __str__(self) -> str:
        return f"{self.program}-{'tcp' if self.tcp else 'udp'}"

    def ask(self, port: int, name: str, rtype: str, host: str = "127.0.0.1") -> "Told":
        """Put one question; whatever the program says of it."""
        if self.program == "nslookup":
            flags = ["-vc"] if self.tcp else ["-novc"]
            done = run(
                (
                    tool("nslookup"),
                    f"-port={port}",
                    f"-type={rtype}",
                    "-timeout=5",
                    "-retry=0",
                    *flags,
                    name,
                    host,
                )
            )
            return nslookup_told(done.stdout)
        flags = ["+tcp"] if self.tcp else ["+notcp"]
        times = ["+time=5", "+retry=0"] if self.program == "kdig" else ["+time=5", "+tries=1"]
        done = run((tool(self.program), f"@{host}", "-p", str(port), *flags, *times, name, rtype))
        return dig_told(done.stdout)


CLIENTS = tuple(Client(program, tcp) for program in ("dig", "kdig", "nslookup") for tcp in (False, True))


@dataclass(frozen=True, slots=True)
class Told:
    """`status` is the RCODE's name, "" when there was no reply; `data` the answers, sorted; `source` who replied."""

    status: str
    data: tuple[str, ...]
    source: str


def records(text: str) -> list[tuple[str, ...]]:
    """The records in *text* as (owner, TTL, class, type, data) with single blanks, sorted."""
    found = (_RECORD.match(line.strip()) for line in text.splitlines() if not line.startswith(";"))
    return sorted(
        (match["owner"], match["ttl"], match["cls"], match["type"], " ".join(match["data"].split()))
        for match in found
        if match
    )


def section(text: str, name: str) -> str:
    """The lines of one section of dig's or kdig's output."""
    found = re.search(rf"^;; {name} SECTION:\n(.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def dig_told(text: str) -> Told:
    status = re.search(r"status: (\w+)", text)
    source = re.search(r"^;; (?:SERVER:|From) (?P<address>[^#@\s]+)[#@]", text, re.MULTILINE)
    data = sorted(item[4] for item in records(section(text, "ANSWER")))
    return Told(status[1] if status else "", tuple(data), source["address"] if source else "")


def nslookup_told(text: str) -> Told:
    """nslookup names the server first, then has another line for each type."""
    server, _, rest = text.partition("\n\n")
    failed = re.search(r"server can't find \S+: (\w+)", rest)
    source = re.search(r"^Address:\s*([^#\s]+)#", server, re.MULTILINE)
    status = failed[1] if failed else "NOERROR" if rest.strip() else ""
    return Told(status, tuple(nslookup_data(rest.splitlines())), source[1] if source else "")


_NSLOOKUP_DATA = re.compile(
    r"^Address: (?P<address>\S+)$|\t(?:canonical )?name = (?P<name>\S+)$|\tservice = (?P<srv>.+)$|\ttext = (?P<txt>.+)$"
)


def nslookup_data(lines: Sequence[str]) -> list[str]:
    found = (_NSLOOKUP_DATA.search(line) for line in lines)
    return sorted(match[match.lastindex].strip() for match in found if match and match.lastindex)
