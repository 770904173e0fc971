"""Log lines on standard output."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from dnsserver.observability import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The logger that is configured; afterwards as it was."""
    root = logging.getLogger("dnsserver")
    level, handlers = root.level, root.handlers[:]
    root.handlers = []
    yield root
    root.setLevel(level)
    root.handlers = handlers


@pytest.mark.parametrize(
    ("logger", "level", "message", "line"),
    [
        ("dnsserver.plugin.errors", logging.ERROR, "2 a. A: x", "[ERROR] plugin/errors: 2 a. A: x"),
        ("dnsserver.plugin.ready", logging.INFO, "hi", "[INFO] plugin/ready: hi"),
        ("dnsserver.queries", logging.INFO, "hi", "[INFO] hi"),
        ("dnsserver", logging.WARNING, "hi", "[WARNING] hi"),
        ("dnsserver.transports.udp", logging.DEBUG, "hi", "[DEBUG] hi"),
        ("dnsserver.x", logging.CRITICAL, "hi", "[FATAL] hi"),
        ("dnsserver.x", 25, "hi", "[Level 25] hi"),
        ("dnsserver.x", logging.INFO, "a\nb\r\x1b[1m\u2028\udce9", "[INFO] a\\nb\\r\\x1b[1m\\u2028\\udce9"),
        ("dnsserver.x", logging.INFO, "caf\u00e9", "[INFO] caf\u00e9"),
        ("dnsserver.x", logging.INFO, "", "[INFO] "),
    ],
    ids=lambda value: None if str(value).isprintable() else ascii(value),
)
def test_line(
    logger: str,
    level: int,
    message: str,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is not UTF-8 cannot be in a report that goes from one process of the tests to another.
    monkeypatch.setattr(logging.getLogger("dnsserver"), "propagate", False)
    logs.configure(logging.DEBUG)
    logging.getLogger(logger).log(level, "%s", message)
    assert capsys.readouterr().out == line + "\n"


def test_stack_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logs.plugin_logger("x").exception("broken")
    out = capsys.readouterr().out
    assert out.startswith("[ERROR] plugin/x: broken\\nTraceback (most recent call last):\\n")
    assert out.endswith("ValueError: one\\ntwo\n")
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("level", "printed"),
    [(logging.DEBUG, ["d", "i", "w"]), (logging.INFO, ["i", "w"]), (logging.WARNING, ["w"])],
)
def test_level(level: int, printed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level)
    log = logs.plugin_logger("x")
    log.debug("d")
    log.info("i")
    log.warning("w")
    assert [line[-1] for line in capsys.readouterr().out.splitlines()] == printed


def test_second_call_sets_the_level_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(logging.ERROR)
    logs.configure(logging.INFO)
    logging.getLogger("dnsserver").info("once")
    assert capsys.readouterr().out == "[INFO] once\n"


def test_others_loggers_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(logging.DEBUG)
    logging.getLogger("dnsserverish").info("hi")
    assert capsys.readouterr().out == ""


class BrokenPipe(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, closed(), BrokenPipe()], ids=["none", "closed", "broken"])
def test_lost_standard_output(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        logging.getLogger("dnsserver").info("lost")
    logging.getLogger("dnsserver").info("printed")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("[INFO] printed\n", "")


def test_poor_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding="ascii")
    logs.configure()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        logging.getLogger("dnsserver").info("caf\u00e9")
    assert octets.getvalue() == b"[INFO] caf\\xe9\n"


def test_arguments_that_do_not_fit_do_not_raise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # pytest's own handler raises for such a call; ours must not.
    monkeypatch.setattr(logging.getLogger("dnsserver"), "propagate", False)
    logs.configure()
    logging.getLogger("dnsserver").info("%d", "x")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--- Logging error ---" in captured.err
