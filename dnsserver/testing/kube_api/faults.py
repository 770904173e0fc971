"""What a test can make the API server do wrong, once, several times, or until it is healed."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """One way to fail. `times` counts down with each request it meets; None: until `KubeApi.heal`."""

    resource: str = ""
    verb: str = ""
    times: int | None = 1
    code: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Octets of the body after which the connection is broken."""
    piece: int = 0
    """Octets sent at a time, 0: all at once."""
    pause_s: float = 0
    """Seconds between two pieces."""
    lines: tuple[bytes, ...] = ()
    """Sent at the start of a watch; it goes on after them unless `ends`."""
    ends: bool = False
    silent: bool = False
    """The watch sends nothing, not even a bookmark."""
    mute: bool = False
    """The request is taken, and no octet comes back."""
    continued: bool = False
    """Only for requests of a second or later page."""

    def meets(self, resource: str, verb: str, continued: bool) -> bool:
        return (
            self.times != 0
            and self.resource in ("", resource)
            and self.verb in ("", verb)
            and (continued or not self.continued)
        )


def status_body(code: int, reason: str, message: str) -> dict[str, Any]:
    """metav1.Status, as the API server writes it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def status(
    code: int,
    reason: str,
    message: str,
    *,
    resource: str = "",
    verb: str = "",
    times: int | None = 1,
    retry_after: str = "",
    continued: bool = False,
) -> Fault:
    """An error with a Status body."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    body = json.dumps(status_body(code, reason, message)).encode()
    return Fault(resource, verb, times, code, body, headers, continued=continued)


def forbidden(resource: str, verb: str, group: str = "", times: int | None = None) -> Fault:
    """What RBAC answers when the ClusterRole lacks a rule."""
    shown = f"{resource}.{group}" if group else resource
    user = "system:serviceaccount:kube-system:dnsserver"
    text = f'{shown} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}"'
    return status(403, "Forbidden", f"{text} at the cluster scope", resource=resource, verb=verb, times=times)


def expired(resource: str = "", verb: str = "", *, as_event: bool = False, continued: bool = False) -> Fault:
    """410: as HTTP status, or as the ERROR event of a watch."""
    message = "The provided continue parameter is too old" if continued else "too old resource version: 1 (9)"
    if not as_event:
        return status(410, "Expired", message, resource=resource, verb=verb, continued=continued)
    line = watch_line("ERROR", status_body(410, "Expired", message))
    return Fault(resource, "watch", lines=(line,), ends=True)


def too_large(resource: str = "", *, as_event: bool = False, times: int | None = 1) -> Fault:
    """504 to a watch from a resourceVersion that is not reached, as after a restore of etcd."""
    message = "Too large resource version: 9000, current: 9"
    if not as_event:
        return status(504, "Timeout", message, resource=resource, verb="watch", times=times)
    line = watch_line("ERROR", status_body(504, "Timeout", message))
    return Fault(resource, "watch", times, lines=(line,), ends=True)


def half_json(resource: str = "", verb: str = "list", times: int | None = 1) -> Fault:
    """A complete HTTP body which is the first half of a list, or of a watch event."""
    if verb == "watch":
        return Fault(
            resource, verb, times, lines=(b'{"type":"ADDED","object":{"metadata":{"na\n',), ends=True
        )
    return Fault(
        resource, verb, times, body=b'{"kind":"List","metadata":{"resourceVersion":"1"},"items":[{"meta'
    )


def cut(resource: str = "", verb: str = "watch", after: int = 60, times: int | None = 1) -> Fault:
    """The connection breaks after some octets of the body."""
    return Fault(resource, verb, times, cut_after=after)


def slow(resource: str = "", piece: int = 256, pause_s: float = 0.002) -> Fault:
    """The body of a list comes in small pieces."""
    return Fault(resource, "list", piece=piece, pause_s=pause_s)


def silent(resource: str = "", times: int | None = 1) -> Fault:
    """A watch that is open and sends nothing, whatever happens."""
    return Fault(resource, "watch", times, silent=True)


def mute(resource: str = "", verb: str = "", times: int | None = 1) -> Fault:
    """A server that takes the request and never answers."""
    return Fault(resource, verb, times, mute=True)


def watch_line(type_: str, obj: Any) -> bytes:
    return json.dumps({"type": type_, "object": obj}, separators=(",", ":")).encode() + b"\n"
