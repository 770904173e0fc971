"""The option `serve_stale` (RFC 8767)."""

from dataclasses import dataclass

from dnsserver.config import Property, Token, gotext

#: Seconds. How long an expired reply may be given where nothing else is said; CoreDNS's.
STALE_S = 3600.0
#: Seconds. The most between two attempts to renew an expired reply (RFC 8767 section 5).
RECHECK_MAX_S = 300.0
#: The largest TTL, 32 bits (RFC 1035 section 4.1.3).
TTL_END = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """`stale_s`: seconds behind its end that a reply may still be given, 0 for none. `verify`: try to renew it first,
    for `timeout_s` seconds at most (0: as long as that takes). `ttl_s`: what its TTLs are then. `recheck_s`: seconds to
    the next attempt when one has failed, 0 for none."""

    stale_s: float = 0.0
    verify: bool = False
    timeout_s: float = 0.0
    ttl_s: int = 0
    recheck_s: float = 0.0


NEVER_STALE = Stale()


def stale_of(line: Property) -> Stale:
    """`serve_stale [DURATION [immediate [TTL [RECHECK]] | verify [TIMEOUT [TTL [RECHECK]]]]]`. Raises ConfigError."""
    arguments = line.at_most(5)
    stale_s = _stale_s(line, arguments[0]) if arguments else STALE_S
    mode = arguments[1].text.lower() if arguments[1:] else "immediate"
    if mode not in ("immediate", "verify"):
        raise line.bare_error(f"invalid value for serve_stale refresh mode: {mode}", arguments[1])
    verify, rest = mode == "verify", arguments[2:]
    if not verify and len(rest) > 2:
        raise line.argument_error()
    timeout_s = _timeout_s(line, rest[0]) if verify and rest else 0.0
    rest = rest[1:] if verify else rest
    ttl_s = _ttl_s(line, rest[0]) if rest else 0
    recheck_s = _recheck_s(line, rest[1]) if rest[1:] else 0.0
    return Stale(stale_s=stale_s, verify=verify, timeout_s=timeout_s, ttl_s=ttl_s, recheck_s=recheck_s)


def _stale_s(line: Property, token: Token) -> float:
    stale_s = line.duration(token)
    if stale_s < 0:
        raise line.bare_error("invalid negative duration for serve_stale", token)
    return stale_s


def _timeout_s(line: Property, token: Token) -> float:
    timeout_s = _seconds(line, token, "invalid serve_stale verify timeout")
    if timeout_s < 0:
        raise line.bare_error("invalid negative timeout for serve_stale verify", token)
    return timeout_s


def _ttl_s(line: Property, token: Token) -> int:
    ttl_s = _seconds(line, token, "invalid serve_stale response TTL")
    if ttl_s < 0:
        raise line.bare_error("invalid negative response TTL for serve_stale", token)
    if ttl_s != int(ttl_s):
        raise line.bare_error("serve_stale response TTL must be a whole number of seconds", token)
    if ttl_s >= TTL_END:
        raise line.bare_error("serve_stale response TTL exceeds the DNS TTL range", token)
    return int(ttl_s)


def _recheck_s(line: Property, token: Token) -> float:
    recheck_s = _seconds(line, token, "invalid serve_stale failure recheck")
    if recheck_s < 0:
        raise line.bare_error("invalid negative failure recheck for serve_stale", token)
    if recheck_s > RECHECK_MAX_S:
        raise line.bare_error("serve_stale failure recheck cannot exceed 5 minutes", token)
    return recheck_s


def _seconds(line: Property, token: Token, error: str) -> float:
    try:
        return gotext.seconds(token.text)
    except ValueError as failure:
        raise line.bare_error(f"{error}: {failure}", token) from None
