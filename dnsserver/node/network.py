"""Interface and rules of the node: when which of them is there (docs/node-local.md, "Order").

`interface` and `rules` are imported where they are used, in a process that ends (see `apart`).
"""

import contextlib
import logging
from collections.abc import Iterator

from dnsserver.node.apart import Work, done_apart
from dnsserver.node.errors import ErrorType, NodeError, SetupErrors
from dnsserver.node.presence import Presence
from dnsserver.node.settings import NodeSettings

LOG = logging.getLogger("dnsserver.node")


class NodeNetwork:
    """Adds and removes what the settings say is ours."""

    def __init__(self, settings: NodeSettings, errors: SetupErrors) -> None:
        self._settings = settings
        self._errors = errors
        self._presence = Presence(settings.interface)
        self._serves = False

    def __repr__(self) -> str:
        return f"<NodeNetwork {self._settings.interface} {self._presence!r}>"

    def prepare(self) -> None:
        """The interface, before the server. Rules that one has left which died go: until there is an answer here, the
        cluster's DNS gives it. Raises NodeError."""
        with self._presence.locked():
            self._presence.join()
            stale = self._removing_rules() if not self._presence.others() else ()
            errors = self._do(*stale, *self._adding_interface())
        for error in errors:
            if error.kind is not ErrorType.IPTABLES:
                raise error

    def serve(self) -> None:
        """The rules too, now that there are answers."""
        self._serves = True
        self.check()

    def check(self) -> None:
        """Add what is missing; errors are counted and told."""
        if not self._settings.manages_network:
            return
        with self._alone():
            self._do(*self._adding_interface(), *(self._adding_rules() if self._serves else ()))

    def yield_rules(self) -> None:
        """Let the cluster's DNS answer again, unless another one serves on this node. The server still answers."""
        self._serves = False
        with self._alone():
            self._presence.leave()
            if not self._settings.keeps and not self._presence.others():
                self._do(*self._removing_rules())

    def tear_down(self) -> None:
        """Remove all that is ours, unless another one serves on this node. The server has ended."""
        with self._alone():
            self._presence.leave()
            if not self._settings.keeps and not self._presence.others():
                self._do(*self._removing_rules(), *self._removing_interface())

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """With the lock; without it where it is not to be had, for whoever has it does not serve pods. That is told,
        and so is what the system has no room for; the next check tries again."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._presence.locked())
            except NodeError as error:
                self._errors.tell(error)
            try:
                yield
            except OSError as error:
                self._errors.tell(NodeError(ErrorType.INTERFACE_CHECK, f"neither looked nor mended: {error}"))

    def _do(self, *works: tuple[ErrorType, Work]) -> tuple[NodeError, ...]:
        """What could not be done; that is told already."""
        if not works:
            return ()
        outcome = done_apart(*works)
        for done in outcome.done:
            LOG.info("%s", done)
        for error in outcome.errors:
            self._errors.tell(error)
        return outcome.errors

    def forget(self) -> None:
        """In a child: who is there is its parent."""
        self._presence.leave()

    def _adding_interface(self) -> tuple[tuple[ErrorType, Work], ...]:
        def work() -> list[str]:
            from dnsserver.node import interface

            return interface.ensure(self._settings.interface, self._settings.addresses, alone=alone)

        alone = not self._presence.others()
        return ((ErrorType.INTERFACE_CHECK, work),) if self._settings.manages_interface else ()

    def _removing_interface(self) -> tuple[tuple[ErrorType, Work], ...]:
        def work() -> list[str]:
            from dnsserver.node import interface

            return interface.remove(self._settings.interface)

        return ((ErrorType.INTERFACE_CHECK, work),) if self._settings.manages_interface else ()

    def _adding_rules(self) -> tuple[tuple[ErrorType, Work], ...]:
        def work() -> list[str]:
            from dnsserver.node import rules

            settings = self._settings
            wanted = rules.wanted(settings.addresses, settings.port, settings.health_port)
            return rules.ensure(settings.interface, wanted)

        return ((ErrorType.IPTABLES, work),) if self._settings.manages_rules else ()

    def _removing_rules(self) -> tuple[tuple[ErrorType, Work], ...]:
        def work() -> list[str]:
            from dnsserver.node import rules

            return rules.remove(self._settings.interface)

        return ((ErrorType.IPTABLES, work),) if self._settings.manages_rules else ()
