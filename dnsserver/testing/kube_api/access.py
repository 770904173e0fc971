"""Who asks, and what they may: bearer tokens of ServiceAccounts, and RBAC by the roles that are stored."""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from dnsserver.testing.kube_api.errors import ApiError, not_found
from dnsserver.testing.kube_api.requests import Request
from dnsserver.testing.kube_api.store import Key, Store

#: The group that may do everything.
MASTERS = "system:masters"
#: Octets of chance in a token.
TOKEN_OCTETS = 48
#: Seconds. What the API server refuses to go below (TokenRequest, validation: 10 minutes).
LEAST_TOKEN_S = 600
#: Seconds. What a token lasts when nothing is said of it.
TOKEN_S = 3600
#: Resource, verb and subresource of the request for a token.
TOKEN_REQUEST = ("serviceaccounts", "create", "token")
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class User:
    """A ServiceAccount is `system:serviceaccount:NAMESPACE:NAME`."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """Valid until *expires*, Unix seconds, and for as long as the Secret *bound* is there; ("", ""): bound to none."""

    account: Key
    expires: float
    bound: Key = ("", "")


class Access:
    """The administrator's token, and those of ServiceAccounts, which TokenRequests give out."""

    def __init__(self, store: Store, admin_token: str, now: Callable[[], float] = time.time) -> None:
        """*now* gives Unix seconds."""
        self._store = store
        self._admin = admin_token
        self._now = now
        self._issued: dict[str, Token] = {}

    def check(self, authorization: str, seen: Request) -> None:
        """Raises ApiError for who is not known (401), or may not do this (403). What is not there is for everybody who
        is known."""
        scheme, _, text = authorization.partition(" ")
        user = self._user(text) if scheme.lower() == "bearer" else None
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if seen.resource and not _allowed(user, seen, self._store):
            raise ApiError(403, "Forbidden", _refusal(user, seen))

    def token(self, seen: Request, request: Any) -> dict[str, Any]:
        """The answer to a TokenRequest (authentication.k8s.io/v1). Raises ApiError."""
        key = (seen.namespace, seen.name)
        accounts = self._store.tables["", "serviceaccounts"]
        if key not in accounts.objects:
            raise not_found(accounts.resource, seen.name)
        spec = request.get("spec") or {}
        lasts_s = spec.get("expirationSeconds") or TOKEN_S
        if lasts_s < LEAST_TOKEN_S:
            text = "spec.expirationSeconds: Invalid value: may not specify a duration less than 10 minutes"
            raise ApiError(
                422, "Invalid", f'TokenRequest.authentication.k8s.io "{seen.name}" is invalid: {text}'
            )
        bound = spec.get("boundObjectRef")
        text = ".".join(secrets.token_urlsafe(TOKEN_OCTETS) for _ in range(3))  # as many parts as a JWT has
        expires = self._now() + lasts_s
        self._issued[text] = Token(key, expires, (seen.namespace, bound["name"]) if bound else ("", ""))
        shown = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**request, "status": {"token": text, "expirationTimestamp": shown}}

    def _user(self, text: str) -> User | None:
        """Whose token *text* is; None when it is nobody's, or not valid any more."""
        if text == self._admin:
            return User("admin", (MASTERS,))
        token = self._issued.get(text)
        if token is None or token.expires <= self._now():
            return None
        if token.account not in self._store.tables["", "serviceaccounts"].objects:
            return None
        if token.bound != ("", "") and token.bound not in self._store.tables["", "secrets"].objects:
            return None
        namespace, name = token.account
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(f"system:serviceaccount:{namespace}:{name}", groups)

    def saved(self) -> dict[str, Any]:
        """The tokens, for `restore`."""
        return {text: asdict(token) for text, token in self._issued.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Know the tokens that another one, which has ended, has given out."""
        for text, token in saved.items():
            (namespace, name), (of, secret) = token["account"], token["bound"]
            self._issued[text] = Token((namespace, name), token["expires"], (of, secret))


def _allowed(user: User, seen: Request, store: Store) -> bool:
    """Whether a ClusterRoleBinding gives *user* a ClusterRole with a rule for *seen*."""
    return MASTERS in user.groups or any(_covers(rule, seen) for rule in _rules(user, store))


def _refusal(user: User, seen: Request) -> str:
    """What the API server says then."""
    where = f'in the namespace "{seen.namespace}"' if seen.namespace else "at the cluster scope"
    shown = f"{seen.resource}.{seen.group}" if seen.group else seen.resource
    named = f' "{seen.name}"' if seen.name else ""
    what = f'cannot {seen.verb} resource "{_resource(seen)}" in API group "{seen.group}" {where}'
    return f'{shown}{named} is forbidden: User "{user.name}" {what}'


def _resource(seen: Request) -> str:
    """As rules name it."""
    return f"{seen.resource}/{seen.subresource}" if seen.subresource else seen.resource


def _rules(user: User, store: Store) -> Iterator[Mapping[str, Any]]:
    roles = store.tables[RBAC, "clusterroles"].objects
    for binding in store.tables[RBAC, "clusterrolebindings"].objects.values():
        content = json.loads(binding.octets)
        role = roles.get(("", content["roleRef"]["name"]))
        if role is not None and any(_is(subject, user) for subject in content.get("subjects") or ()):
            yield from json.loads(role.octets).get("rules") or ()


def _is(subject: Mapping[str, str], user: User) -> bool:
    match subject["kind"]:
        case "ServiceAccount":
            return user.name == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
        case "User":
            return user.name == subject["name"]
        case _:
            return subject["name"] in user.groups


def _covers(rule: Mapping[str, Any], seen: Request) -> bool:
    return (
        _has(rule.get("verbs"), seen.verb)
        and _has(rule.get("apiGroups"), seen.group)
        and _has(rule.get("resources"), _resource(seen))
        and not rule.get("resourceNames")
    )


def _has(listed: Iterable[str] | None, value: str) -> bool:
    found = set(listed or ())
    return value in found or "*" in found
