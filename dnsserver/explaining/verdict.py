"""What a server answers, and the way that a question took through its plugins."""

from dataclasses import dataclass
from enum import Enum


class Did(Enum):
    """What a plugin did with a question."""

    PASSED = "passed it on"
    REWROTE = "passed another question on"
    CHANGED = "passed it on and changed the reply"
    ANSWERED = "answered"
    SILENT = "sent nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """One plugin and one question. `name` and `rtype` are the question as it came, `passed` as it was passed on where
    that differs ("NAME TYPE"); `rcode` is that of the reply that the plugin gave, "" for none; `error` what it says
    to the operator. `depth`: 0 for the client's own question, 1 and more for those that plugins put to the whole
    server."""

    plugin: str
    name: str
    rtype: str
    did: Did
    passed: str = ""
    rcode: str = ""
    depth: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """The server block that answers: its zone, the address and port that it listens on (`dns://:53`), where it stands
    (`Corefile:1`), and the plugins of its chain in order."""

    zone: str
    listener: str
    where: str
    plugins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rcode` is "" for silence; `answer` and `authority` are records in presentation format. `data`: there is a record
    of the type asked. `plugin` wrote the reply; `error` is what it says to the operator; `extended` are the Extended
    DNS Errors (RFC 8914) that go with it."""

    rcode: str
    answer: tuple[str, ...] = ()
    authority: tuple[str, ...] = ()
    data: bool = False
    authoritative: bool = False
    truncated: bool = False
    plugin: str = ""
    error: str = ""
    extended: tuple[str, ...] = ()

    @property
    def resolves(self) -> bool:
        return self.rcode == "NOERROR" and self.data
