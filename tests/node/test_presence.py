"""Who else is there, and one at a time."""

import os
import resource
import signal
import socket
import threading
import time
from dataclasses import replace

import pytest

from dnsserver.node import NodeSettings, presence
from dnsserver.node.apart import done_apart
from dnsserver.node.errors import ErrorType, NodeError, SetupErrors
from dnsserver.node.network import NodeNetwork
from dnsserver.node.presence import Presence

NAME = f"t{os.getpid()}"


def test_others_are_seen_until_they_leave() -> None:
    first, second, elsewhere = Presence(NAME), Presence(NAME), Presence(f"{NAME}x")
    first.join()
    elsewhere.join()
    assert not first.others()
    second.join()
    assert first.others()
    assert second.others()
    second.leave()
    second.leave()
    assert not first.others()
    assert second.others()
    first.leave()
    elsewhere.leave()


def test_who_dies_is_gone() -> None:
    mine = Presence(NAME)
    child = os.fork()
    if child == 0:
        Presence(NAME).join()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert not mine.others()


def test_lock_is_one_s_at_a_time() -> None:
    order = []

    def second() -> None:
        with Presence(NAME).locked():
            order.append("second")

    with Presence(NAME).locked():
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_names_of_others_may_be_any_octets() -> None:
    mine = Presence(NAME)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(b"\0\xff\xfe\n\x85" + os.urandom(8))
        assert not mine.others()


def test_lock_that_is_not_let_go(settings: NodeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end comes nevertheless; it is told and counted."""
    monkeypatch.setattr(presence, "LOCK_S", 0.1)
    errors = SetupErrors()
    network = NodeNetwork(replace(settings, interface=NAME, manages_interface=False), errors)
    with Presence(NAME).locked():
        network.yield_rules()
        network.check()
        network.tear_down()
    (family,) = errors.families()
    assert (("interface_check",), 3.0) in family.samples


def test_system_without_room(settings: NodeSettings) -> None:
    """The server goes on, and it is tried the next time."""
    errors = SetupErrors()
    network = NodeNetwork(replace(settings, interface=NAME), errors)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        network.check()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    (family,) = errors.families()
    assert (("interface_check",), 2.0) in family.samples, "the lock, and what it is for"


def test_lock_is_nobody_else() -> None:
    mine = Presence(NAME)
    with mine.locked():
        assert not mine.others()


def test_work_apart_tells_what_was_done_and_what_was_not() -> None:
    def fine() -> list[str]:
        return ["one", "two"]

    def wrong() -> list[str]:
        raise NodeError(ErrorType.INTERFACE_ADD, "no such thing")

    def bug() -> list[str]:
        raise KeyError("x")

    outcome = done_apart(
        (ErrorType.IPTABLES, fine), (ErrorType.INTERFACE_CHECK, wrong), (ErrorType.IPTABLES, bug)
    )
    assert outcome.done == ("one", "two")
    assert [(error.kind, str(error)) for error in outcome.errors] == [
        ("interface_add", "no such thing"),
        ("iptables", "KeyError: 'x'"),
    ]


def test_work_apart_that_dies() -> None:
    def dies() -> list[str]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    outcome = done_apart((ErrorType.INTERFACE_CHECK, list), (ErrorType.IPTABLES, dies))
    assert [(error.kind, str(error)) for error in outcome.errors] == [
        ("iptables", "the process that does this ended with status 9")
    ]
