"""Causes that lie in the server's configuration, in other plugins, and in other servers."""

from collections.abc import Iterator, Sequence

from dnsserver.explaining.cause import Cause
from dnsserver.explaining.verdict import Block, Did, Step, Verdict

#: Plugins whose answers other files than this explain.
CLUSTER = frozenset({"kubernetes"})
#: Words of the errors of plugin forward, and what they are.
_TROUBLES = (
    ("timeout", "upstream-timeout"),
    ("refused", "upstream-unreachable"),
    ("no healthy", "upstream-unreachable"),
    ("unreachable", "upstream-unreachable"),
    ("no route", "upstream-unreachable"),
    ("reset", "upstream-unreachable"),
)
_RCODES = {
    "SERVFAIL": ("upstream-servfail", "answers SERVFAIL: it could not resolve the name itself"),
    "REFUSED": ("upstream-refused", "answers REFUSED: it does not serve this client or name"),
    "NXDOMAIN": ("upstream-nxdomain", "says that the name does not exist"),
}


def not_served(name: str, zones: Sequence[str]) -> Cause:
    """No server block takes the name."""
    return Cause(
        "zone-not-served",
        f"No server block has a zone for {name}, so it is refused. Zones here: {', '.join(zones) or 'none'}.",
        advice="Add a server block for it to the Corefile, such as one for the root zone (.) with forward.",
    )


def another_block(name: str, block: Block, other: Block) -> Cause:
    """*other* has the cluster, and *block* a longer zone."""
    return Cause(
        "another-block-answers",
        f"{name} is below the zone {block.zone} of the server block at {block.where}, which answers in place of the one"
        f" at {other.where} (zone {other.zone}) that has plugin kubernetes.",
        advice="Take the zone out of one of the two blocks, or give this block plugin kubernetes too.",
    )


def of_chain(verdict: Verdict, steps: Sequence[Step], block: Block) -> Iterator[Cause]:
    """Why there is no record of the type, where others than the cluster's own plugin decided."""
    own = [step for step in steps if step.depth == 0]
    rewrite = next((step for step in own if step.did is Did.REWROTE and step.plugin == "rewrite"), None)
    if rewrite is not None:
        yield Cause(
            "rewritten",
            f"Plugin rewrite asked for {rewrite.passed} in place of {rewrite.name} {rewrite.rtype}.",
            advice="See the rules of rewrite in the Corefile.",
        )
    cached = next((step for step in own if step.plugin == "cache" and step.did is Did.ANSWERED), None)
    if cached is not None:
        yield of_cache(verdict)
    yield from _of_last(verdict, own, block)


def of_cache(verdict: Verdict) -> Cause:
    """A stored answer came."""
    if any(text.startswith("3 ") or text.startswith("19 ") for text in verdict.extended):
        return Cause(
            "stale-from-cache",
            "Plugin cache gave an answer that is out of date, as upstream does not answer (serve_stale).",
            advice="See why upstream fails.",
        )
    return Cause(
        "answered-from-cache",
        "Plugin cache gave an answer that it got earlier; what is behind it was not asked.",
        advice="It ends with its TTL. A reload of the server empties the cache.",
    )


def _of_last(verdict: Verdict, own: Sequence[Step], block: Block) -> Iterator[Cause]:
    plugin = verdict.plugin
    if not verdict.rcode:
        silent = next((step.plugin for step in reversed(own) if step.did is Did.SILENT), "")
        code = "blocked-by-acl" if silent == "acl" else "no-answer"
        yield Cause(code, f"Plugin {silent or 'of the block'} sent nothing, so the client waits in vain.")
    elif plugin == "acl":
        yield Cause(
            "blocked-by-acl",
            f"Plugin acl of the block at {block.where} does not let this client ask for this.",
            advice="See its rules, and whether they name the client's address.",
        )
    elif "no next plugin" in verdict.error:
        yield Cause(
            "no-next-plugin",
            f"No plugin of the block at {block.where} answers this name: the last of the chain,"
            f" {block.plugins[-1] if block.plugins else 'none'}, passed it on.",
            advice="Add forward for names outside of the cluster.",
        )
    elif plugin == "offline":
        yield _offline()
    elif plugin == "forward" or any(step.plugin == "forward" and step.did is Did.ANSWERED for step in own):
        yield of_upstream(verdict.rcode, verdict.error)
    elif plugin and plugin not in CLUSTER:
        yield Cause(
            "answered-by-plugin",
            f"Plugin {plugin} of the block at {block.where} answered {verdict.rcode}, before any plugin behind it.",
            advice=f"See what the block says of {plugin}, and its fallthrough.",
        )


def _offline() -> Cause:
    return Cause(
        "offline",
        "The server is offline: no name outside of the cluster's zones is resolved.",
        advice="Use dnsserver serve --forward ADDRESS, or plugin forward in place of offline.",
    )


def of_elsewhere(step: Step) -> Cause:
    """Why the plugin of *step* had no records of a name that another one asked for."""
    return _offline() if step.plugin == "offline" else of_upstream(step.rcode, step.error)


def of_upstream(rcode: str, error: str) -> Cause:
    """What plugin forward got, or why it got nothing."""
    if error:
        code = next((code for word, code in _TROUBLES if word in error), "upstream-failed")
        return Cause(
            code,
            f"Plugin forward got no usable reply: {error}.",
            advice="See that the upstream servers of the Corefile (for /etc/resolv.conf: those of the host) are up, and"
            " that packets to port 53 get there and back.",
        )
    if rcode == "NOERROR":
        return Cause(
            "upstream-nodata",
            "The upstream server has the name, but no records of this type.",
            advice="Ask for another type.",
        )
    code, what = _RCODES.get(rcode, ("upstream-failed", f"answers {rcode}"))
    return Cause(
        code, f"The upstream server {what}.", advice="Ask it directly (dig @UPSTREAM NAME) to compare."
    )
