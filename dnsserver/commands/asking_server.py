"""A running server, asked why: at its admin endpoint (HTTP on loopback, docs/explain.md), or by DNS alone."""

import http.client
import json
from typing import Any

from dnsserver.comparing.asking import Server
from dnsserver.explaining.verdict import Verdict
from dnsserver.plugins.addresses import Address, parse_address
from dnsserver.runtime.admin import EXPLAIN_S, parse_admin
from dnsserver.runtime.explaining import AskedError, Asking, verdict_of_message
from dnsserver.runtime.listing import ServedName
from dnsserver.transports.upstream.peer import ExchangeError
from dnsserver.wire.question import Question

#: Seconds that an answer is waited for: as long as the server takes at most, and some.
TIMEOUT_S = EXPLAIN_S + 5
#: Seconds. By DNS, for each of UDP and TCP: what resolvers wait (resolv.conf(5), timeout).
DNS_TIMEOUT_S = 5.0
DNS_SCHEME = "dns://"
#: Octets of an answer that are read.
ANSWER_MAX = 16 * 1024 * 1024


class UnreachableError(Exception):
    """No answer came; the text says why and what to do."""


def ask_server(address: str, asking: Asking) -> dict[str, Any]:
    """The explanation as JSON has it. Raises UnreachableError, AskedError."""
    found = _posted(address, "/explain", {"name": asking.name, "type": asking.rtype, "from": asking.client})
    if "schema" not in found:
        raise UnreachableError(f"what answers at {address} is no dnsserver")
    return found


def names_of_server(address: str) -> tuple[list[ServedName], tuple[str, ...]]:
    """Every name, in order, and what else is answered. Raises UnreachableError, AskedError."""
    rows: list[ServedName] = []
    cursor = ""
    while True:
        page = _posted(address, "/names", {"cursor": cursor})
        try:
            rows += map(ServedName.from_json, page["names"])
            beyond, cursor = tuple(map(str, page["beyond"])), str(page["cursor"])
        except (KeyError, TypeError) as error:
            raise UnreachableError(f"what answers at {address} speaks of no names ({error!r})") from None
        if not cursor:
            return sorted(rows, key=lambda each: each.sort_key), beyond


def _posted(address: str, path: str, asked: dict[str, str]) -> dict[str, Any]:
    """What the server says. Raises UnreachableError, AskedError."""
    try:
        place = parse_admin(address)
    except ValueError as error:
        raise AskedError(f"--server: {error}") from None
    if place is None:
        raise AskedError("--server: a server whose endpoint is off cannot be asked")
    connection = http.client.HTTPConnection(*place, timeout=TIMEOUT_S)
    try:
        connection.request("POST", path, json.dumps(asked), {"Content-Type": "application/json"})
        response = connection.getresponse()
        found = json.loads(response.read(ANSWER_MAX))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(
            f"no server answers at {address} ({error or type(error).__name__}): start one, or say where it is"
            " (--server ADDRESS:PORT, its option --admin), or give its Corefile (-conf) or manifests"
        ) from None
    finally:
        connection.close()
    if not isinstance(found, dict):
        raise UnreachableError(f"what answers at {address} is no dnsserver")
    if response.status == 400:
        raise AskedError(str(found.get("error")))
    if response.status != 200:
        raise UnreachableError(
            f"the server at {address} answers {response.status}: {found.get('error', 'no reason')}"
        )
    return found


def dns_address(text: str) -> Address | None:
    """The address of `dns://HOST[:PORT]`; None where *text* is none of DNS. Raises AskedError."""
    if not text.startswith(DNS_SCHEME):
        return None
    try:
        found = parse_address(text.removeprefix(DNS_SCHEME))
    except ValueError as error:
        raise AskedError(f"--server {text}: {error}") from None
    if found is None:
        raise AskedError(f"--server {text}: write {DNS_SCHEME}ADDRESS or {DNS_SCHEME}ADDRESS:PORT")
    return found


async def answer_by_dns(server: Server, question: Question) -> Verdict:
    """What *server* says, by UDP or TCP; a verdict without RCODE when nothing comes."""
    try:
        return verdict_of_message(question, await server.reply(question))
    except ExchangeError as error:
        return Verdict("", error=str(error))
