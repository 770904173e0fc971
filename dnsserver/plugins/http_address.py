"""`[HOST]:PORT` of HTTP listeners, with Go's messages."""

from dnsserver.config import Line, Occurrence, Token

#: The largest TCP port; 0 lets the operating system choose.
PORT_MAX = 65_535


def host_port(occurrence: Occurrence, default: tuple[str, int]) -> tuple[str, int]:
    """The host, "" for all addresses, and port that the only argument of a directive names; without one *default*.

    Raises ConfigError for what is no such pair, and for more arguments.
    """
    for token in occurrence.at_most(1):
        return _host_port(occurrence, token)
    return default


def _host_port(line: Line, token: Token) -> tuple[str, int]:
    try:
        host, port = _split(token.text)
    except ValueError as error:
        raise line.bare_error(f"address {token.text}: {error}", token) from None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= PORT_MAX):
        raise line.bare_error(f"address {token.text}: invalid port", token)
    return host, int(port)


def _split(text: str) -> tuple[str, str]:
    """As Go's net.SplitHostPort; ValueError with its reason."""
    head, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("missing port in address")
    host = head
    if head.startswith("["):
        host, bracket, behind = head[1:].partition("]")
        if not bracket:
            raise ValueError("missing ']' in address" if "]" not in port else "missing port in address")
        if behind:
            raise ValueError("too many colons in address" if behind[0] == ":" else "missing port in address")
    elif ":" in head:
        raise ValueError("too many colons in address")
    for mark in "[]":
        if mark in host or mark in port:
            raise ValueError(f"unexpected '{mark}' in address")
    return host, port
