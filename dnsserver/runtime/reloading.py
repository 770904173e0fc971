"""Going over to another configuration: who asked, what is said of it, and what is left to plugins."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.config import ConfigError, Corefile, Origin
from dnsserver.runtime.processes import Board, ChildLink

LOG = logging.getLogger("dnsserver")
PLUGIN_LOG = logging.getLogger("dnsserver.plugin.reload")


@dataclass(frozen=True, slots=True)
class Never:
    """The configuration is what it is: for servers that are part of another program, and for looking at a Corefile."""

    digest: str = ""
    tried: str = ""
    failures: int = 0

    def look(self) -> str:
        return self.digest

    def begin(self, digest: str) -> None:
        """There is no other."""


NEVER = Never()


class ReloadError(Exception):
    """The new configuration cannot be served, for the reason that is the text."""


def read_anew(origin: Origin) -> Corefile:
    """The Corefile as it is now. Raises ReloadError."""
    try:
        corefile = origin.read()
    except ConfigError as error:
        raise ReloadError(str(error)) from None
    if corefile.built_in and not origin.optional:
        # While it is written anew, a file may be empty for a moment.
        raise ReloadError(
            f"{origin.path} has no server block; write one, or restart for the built-in configuration"
        )
    for warning in corefile.warnings:
        LOG.warning("%s", warning)
    return corefile


@dataclass(frozen=True, slots=True)
class Wish:
    """That the configuration be read anew: by a signal, or by plugin `reload`, which has seen *digest*."""

    digest: str = ""

    def begins(self) -> None:
        if not self.digest:
            LOG.info("SIGUSR1: Reloading")
        LOG.info("Reloading")

    def failed(self, reason: str) -> None:
        LOG.error("Restart failed: %s", reason)
        if self.digest:
            PLUGIN_LOG.error("Corefile changed but reload failed: %s", reason)
        else:
            LOG.error("SIGUSR1: %s", reason)

    def fulfilled(self) -> None:
        LOG.info("Reloading complete")


@dataclass(slots=True)
class ByParent:
    """How the control process of several has its parent do it."""

    origin: Origin
    digest: str
    board: Board
    link: ChildLink
    tried: str = ""

    def __post_init__(self) -> None:
        self.tried = self.digest

    @property
    def failures(self) -> int:
        return self.board.failed_reloads

    def look(self) -> str:
        return self.origin.digest()

    def begin(self, digest: str) -> None:
        self.tried = digest
        self.link.wish(digest)


@dataclass(slots=True)
class Attempts:
    """`tried`: the digest that the server was to go over to last, or began with; `failures`: of plugin `reload`."""

    tried: str
    failures: int = 0

    def failed(self, wish: Wish) -> None:
        if wish.digest:
            self.tried = wish.digest
            self.failures += 1


@dataclass(frozen=True, slots=True)
class ByItself:
    """How the only process of a server does it."""

    origin: Origin
    digest: str
    attempts: Attempts
    wish: Callable[[Wish], None]

    @property
    def tried(self) -> str:
        return self.attempts.tried

    @property
    def failures(self) -> int:
        return self.attempts.failures

    def look(self) -> str:
        return self.origin.digest()

    def begin(self, digest: str) -> None:
        self.attempts.tried = digest
        self.wish(Wish(digest))
