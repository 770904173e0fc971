"""The text of records: owner, TTL, class, type and RDATA of one line (RFC 1035 section 5.1)."""

import re

from dnsserver.sources.zonefile.errors import RecordTextError
from dnsserver.sources.zonefile.lines import cleaned
from dnsserver.sources.zonefile.rdata import name_from_text, rdata_from_text, type_from_text
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Record

#: Seconds. TTL of a record whose text has none, where no zone around it says more: miekg/dns's, so CoreDNS's.
TTL_WITHOUT_ZONE = 3600
#: Seconds. The largest TTL (RFC 2181 section 8).
TTL_MAX = 2**31 - 1
_CLASSES = frozenset(("IN", "CLASS1"))
_OTHER_CLASSES = re.compile(r"CH|CS|HS|NONE|ANY|CLASS\d+")
_TTL = re.compile(r"(?:[0-9]+[smhdw]?)+", re.IGNORECASE)
_TTL_PART = re.compile(r"([0-9]+)([smhdw]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def record_from_text(text: str, *, default_ttl: int = TTL_WITHOUT_ZONE) -> Record | None:
    """The one record that *text* is, names relative to the root; None when there is nothing but blanks and comments.

    It may go over several lines within parentheses. Raises RecordTextError.
    """
    line = cleaned(text)
    if not line.strip():
        return None
    if line[0] in " \t":
        raise RecordTextError("a record needs an owner name in front")
    state = RecordLines(names.ROOT)
    state.default_ttl = default_ttl
    return state.record(line)


class RecordLines:
    """Reads one record after another; each may leave out what an earlier one has said.

    `origin` is what relative names count from, `default_ttl` what `$TTL` says (seconds; None: nothing yet).
    """

    def __init__(self, origin: bytes) -> None:
        self.origin = origin
        self.default_ttl: int | None = None
        self.owner: bytes | None = None
        self._stated_ttl: int | None = None
        self._soa_ttl: int | None = None

    def record(self, line: str) -> Record:
        """The record of a line without comments and parentheses. Raises RecordTextError."""
        if line[0] not in " \t":
            owner, _, line = line.replace("\t", " ").partition(" ") if "\t" in line else line.partition(" ")
            self.owner = name_from_text(owner, self.origin)
        if self.owner is None:
            raise RecordTextError("no owner name, and none before it")
        ttl, rtype, text = self._typed(line)
        rdata = rdata_from_text(rtype, text, self.origin)
        if rtype == Type.SOA:
            self._soa_ttl = int.from_bytes(rdata.tail[-4:], "big")
        return Record(self.owner, rtype, self._ttl(ttl), rdata)

    def _typed(self, line: str) -> tuple[int | None, int, str]:
        """TTL if there is one, type, and the text of the RDATA; TTL and class come in any order."""
        ttl: int | None = None
        classed = False
        rest = line
        while True:
            parts = rest.split(None, 1)
            word = parts[0] if parts else ""
            rest = parts[1] if len(parts) > 1 else ""
            if ttl is None and word[:1].isdigit():
                ttl = ttl_from_text(word)
                self._stated_ttl = ttl
                continue
            upper = word.upper()
            if not classed and upper in _CLASSES:
                classed = True
                continue
            rtype = type_from_text(upper)
            if rtype is not None:
                return ttl, rtype, rest.strip()
            if not word:
                raise RecordTextError("no type")
            if _OTHER_CLASSES.fullmatch(upper):
                raise RecordTextError(f"class '{word}' is not served: only IN is")
            raise RecordTextError(f"unknown type '{word}'")

    def _ttl(self, stated: int | None) -> int:
        """RFC 2308 section 4: `$TTL`, else the last that was stated, else the SOA record's last field."""
        for ttl in (stated, self.default_ttl, self._stated_ttl, self._soa_ttl):
            if ttl is not None:
                return ttl
        raise RecordTextError("no TTL, and none before it: put $TTL in front")


def ttl_from_text(text: str) -> int:
    """Seconds, also as `1h30m` (RFC 1035 has plain numbers; master files in use have units). Raises RecordTextError."""
    if text.isascii() and text.isdigit():
        ttl = int(text) if len(text) <= len(str(TTL_MAX)) else TTL_MAX + 1
    elif _TTL.fullmatch(text):
        ttl = sum(int(number) * _UNITS[unit.lower()] for number, unit in _TTL_PART.findall(text))
    else:
        raise RecordTextError(f"'{text}' is no TTL")
    if ttl > TTL_MAX:
        raise RecordTextError(f"TTL {text} is larger than {TTL_MAX}")
    return ttl
