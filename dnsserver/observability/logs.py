"""Log lines in CoreDNS's form on standard output (coredns-compat.md, section 3.2).

    [INFO] plugin/ready: Plugins not ready: "kubernetes"      from logger dnsserver.plugin.ready
    [WARNING] the answer store is full                        from any other logger below dnsserver

One line per message whatever it holds, without a time: what collects the lines of a container adds it.
"""

import logging
import sys

_ROOT = "dnsserver"
_PLUGINS = "dnsserver.plugin."

#: What the lines call Python's levels.
LEVELS = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARNING",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "FATAL",
}


def plugin_logger(name: str) -> logging.Logger:
    """The logger whose lines begin with `plugin/NAME: `."""
    return logging.getLogger(_PLUGINS + name)


def configure(level: int = logging.INFO) -> None:
    """Print the messages of *level* and above of every logger below `dnsserver`; a second call only sets the level."""
    root = logging.getLogger(_ROOT)
    root.setLevel(level)
    if not any(isinstance(handler, StdoutHandler) for handler in root.handlers):
        root.addHandler(StdoutHandler())


class LineFormatter(logging.Formatter):
    """A record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        level = LEVELS.get(record.levelno, record.levelname)
        plugin = record.name.removeprefix(_PLUGINS) if record.name.startswith(_PLUGINS) else ""
        prefix = f"plugin/{plugin}: " if plugin else ""
        return one_line(f"[{level}] {prefix}{super().format(record)}")


class StdoutHandler(logging.Handler):
    """Writes to what `sys.stdout` is at that moment. A closed or full standard output loses lines, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # arguments that do not fit their message: our mistake, told on standard error
            self.handleError(record)
            return
        stream = sys.stdout
        if stream is None:
            return
        try:
            stream.write(_encodable(line, stream.encoding) + "\n")
            stream.flush()
        except (OSError, ValueError):  # closed: by its reader, or by us
            return


def one_line(text: str) -> str:
    """*text* with line breaks and other control characters as Python escapes: `\\n`, `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _encodable(line: str, encoding: str | None) -> str:
    """*line* with escapes for the characters that *encoding* does not have."""
    if line.isascii():
        return line
    encoding = encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)
