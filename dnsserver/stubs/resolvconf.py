"""/etc/resolv.conf as each C library and Go read it: they differ in what they take, cut and ignore.

Sources: glibc `resolv/res_init.c` (`res_vinit_1`, `res_setoptions`), musl `src/network/resolvconf.c`, Go
`net/dnsconfig_unix.go`. What is left to the machine's name (the search list when none is given) is empty here: a pod's
host name has no dots.
"""

import re
from dataclasses import dataclass, replace

from dnsserver.zone.addresses import is_ip_address

#: Name servers that are asked; further ones are ignored (glibc MAXNS, musl MAXNS, Go dnsReadConfig).
SERVERS_MAX = 3
#: Dots. More than these are taken for these (glibc RES_MAXNDOTS; musl and Go the same number).
NDOTS_MAX = 15
#: Characters of a name with its final dot (RFC 1035 section 2.3.4: 255 octets, with a length before each label).
NAME_TEXT_MAX = 254
#: glibc RES_MAXRETRANS, seconds, and RES_MAXRETRY.
GLIBC_TIMEOUT_MAX, GLIBC_ATTEMPTS_MAX = 30, 5
#: What Go takes a larger number for (net/parse.go, `big`).
GO_NUMBER_MAX = 0xFFFFFF
#: musl resolvconf.c, seconds and number.
MUSL_TIMEOUT_MAX, MUSL_ATTEMPTS_MAX = 60, 10
#: Octets with the line's end. musl passes over a line that does not fit its buffer of 256, whatever it says.
MUSL_LINE_MAX = 255


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """What a library made of the file. `timeout` in seconds; the flags are options of the same names."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: int = 5
    attempts: int = 2
    flags: frozenset[str] = frozenset()

    def __contains__(self, flag: str) -> bool:
        return flag in self.flags

    def names(self, name: str) -> list[str]:
        """What is asked for *name*, one after another, with final dots (glibc `res_nsearch`, Go `nameList`; musl
        never searches for a name with `ndots` dots). A domain with which it would be too long is passed over."""
        if name.endswith("."):
            return [name]
        completed = (f"{name}.{domain.strip('.')}".rstrip(".") + "." for domain in self.search)
        searched = [text for text in completed if len(text) <= NAME_TEXT_MAX]
        whole = [f"{name}."]
        return whole + searched if name.count(".") >= self.ndots else searched + whole


#: Options without a value that glibc knows (`res_setoptions`); it compares their beginnings, in this order.
_GLIBC_FLAGS = (
    "rotate",
    "edns0",
    "single-request-reopen",
    "single-request",
    "no_tld_query",
    "no-tld-query",
    "no-reload",
    "use-vc",
    "trust-ad",
)
#: Those that came later: no-aaaa with 2.36, strict-error with 2.41.
_GLIBC_RECENT_FLAGS = ("no-aaaa", "strict-error")


def read_by_glibc(text: str, *, recent: bool = True) -> ResolvConf:
    """As glibc reads it; *recent*: it knows `no-aaaa`, `strict-error`, and the `-` that takes an option back (2.41)."""
    conf = ResolvConf()
    for line in text.split("\n"):
        keyword, _, rest = line.replace("\t", " ").partition(" ")
        words = rest.split()
        if keyword == "nameserver" and words and is_ip_address(words[0]):
            conf = replace(conf, servers=(*conf.servers, words[0]))
        elif keyword == "search" and words:
            conf = replace(conf, search=tuple(words))
        elif keyword == "domain" and words:
            conf = replace(conf, search=(words[0],))
        elif keyword == "options":
            for word in words:
                conf = _glibc_option(conf, word, recent)
    return _completed(conf, ("127.0.0.1",))


def _glibc_option(conf: ResolvConf, word: str, recent: bool) -> ResolvConf:
    name, colon, value = word.partition(":")
    if colon and name == "ndots":
        return replace(conf, ndots=min(_by_atoi(value), NDOTS_MAX) & NDOTS_MAX)  # a field of 4 bits
    if colon and name == "timeout":
        return replace(conf, timeout=min(_by_atoi(value), GLIBC_TIMEOUT_MAX))
    if colon and name == "attempts":
        return replace(conf, attempts=min(_by_atoi(value), GLIBC_ATTEMPTS_MAX))
    known = _GLIBC_FLAGS + _GLIBC_RECENT_FLAGS if recent else _GLIBC_FLAGS
    back = recent and word.startswith("-")
    flag = next((flag for flag in known if word.removeprefix("-" if back else "").startswith(flag)), None)
    if flag is None:
        return conf
    return replace(conf, flags=conf.flags - {flag} if back else conf.flags | {flag})


def read_by_musl(text: str) -> ResolvConf:
    """As musl reads it: of the options ndots, attempts and timeout; no line longer than `MUSL_LINE_MAX`."""
    conf = ResolvConf()
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    for line in lines:
        if len(line.encode()) > MUSL_LINE_MAX or (not line.endswith("\n") and line is not lines[-1]):
            continue
        keyword, rest = re.match(r"(\S*)\s?(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        words = rest.split()
        if keyword == "nameserver" and words and is_ip_address(words[0]) and len(conf.servers) < SERVERS_MAX:
            conf = replace(conf, servers=(*conf.servers, words[0]))
        elif keyword in ("search", "domain"):
            conf = replace(conf, search=tuple(words))
        elif keyword == "options":
            conf = _musl_options(conf, rest)
    return _completed(conf, ("127.0.0.1",))


def _musl_options(conf: ResolvConf, text: str) -> ResolvConf:
    """The first of each in the line (strstr), with a number behind it."""
    limits = {"ndots": NDOTS_MAX, "attempts": MUSL_ATTEMPTS_MAX, "timeout": MUSL_TIMEOUT_MAX}
    for name, most in limits.items():
        _, found, value = text.partition(f"{name}:")
        if found and value[:1].isdigit():
            number = min(_digits(value), most)
            match name:
                case "ndots":
                    conf = replace(conf, ndots=number)
                case "attempts":
                    conf = replace(conf, attempts=number)
                case _:
                    conf = replace(conf, timeout=number)
    return conf


#: Options without a value that Go takes up, and what it calls them.
_GO_FLAGS = {
    "rotate": "rotate",
    "single-request": "single-request",
    "single-request-reopen": "single-request",
    "use-vc": "use-vc",
    "usevc": "use-vc",
    "tcp": "use-vc",
    "trust-ad": "trust-ad",
}


def read_by_go(text: str) -> ResolvConf:
    """As Go's own resolver reads it."""
    conf = ResolvConf()
    for line in text.split("\n"):
        words = line.split()
        if not words or line[0] in ";#":
            continue
        keyword, values = words[0], words[1:]
        if keyword == "nameserver" and values and len(conf.servers) < SERVERS_MAX:
            conf = replace(conf, servers=(*conf.servers, values[0])) if is_ip_address(values[0]) else conf
        elif keyword == "search":
            conf = replace(conf, search=tuple(name for name in values if name != "."))
        elif keyword == "domain" and values:
            conf = replace(conf, search=(values[0],))
        elif keyword == "options":
            for word in values:
                conf = _go_option(conf, word)
    return _completed(conf, ("127.0.0.1", "::1"))


def _go_option(conf: ResolvConf, word: str) -> ResolvConf:
    name, colon, value = word.partition(":")
    if colon and name == "ndots":
        return replace(conf, ndots=min(_by_dtoi(value), NDOTS_MAX))
    if colon and name == "timeout":
        return replace(conf, timeout=max(_by_dtoi(value), 1))
    if colon and name == "attempts":
        return replace(conf, attempts=max(_by_dtoi(value), 1))
    flag = _GO_FLAGS.get(word)
    return conf if flag is None else replace(conf, flags=conf.flags | {flag})


def _completed(conf: ResolvConf, default: tuple[str, ...]) -> ResolvConf:
    """The library's own machine, when no server is named."""
    return replace(conf, servers=(conf.servers or default)[:SERVERS_MAX])


def _by_atoi(text: str) -> int:
    """As glibc's atoi(3): of a `long`, which ends at its limits, the lower 32 bits."""
    sign, digits = re.match(r"\s*([+-]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    number = -min(_digits(digits), 2**63) if sign == "-" else min(_digits(digits), 2**63 - 1)
    return (number + 2**31) % 2**32 - 2**31


def _by_dtoi(text: str) -> int:
    """As Go's dtoi: no sign, and no more than its `big`."""
    return min(_digits(text), GO_NUMBER_MAX)


def _digits(text: str) -> int:
    """The number that *text* begins with; 0 without any. Of more digits than 64 bits can have the first ones."""
    return int(re.match(r"0*([0-9]{0,20})", text)[1] or 0)  # type: ignore[index]
