"""The commands and answers that a page shows, and the scenes they are about."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.clients import records
from tests.support.tools import run, tool

#: The port that the page asks.
PAGE_PORT = "1053"
_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_START = re.compile(r"^dnsserver -conf (zones/(?P<scene>\w+)/Corefile)$")
_SHORTHAND = re.compile(r'^(?P<name>[A-Z])="(?P<command>[^"]*)"$')


@dataclass(frozen=True, slots=True)
class Example:
    """Shell commands, and what they print when it is shown: it stands in the next block, with blank lines between."""

    scene: str
    line: int
    commands: tuple[str, ...]
    expected: str | None

    def __str__(self) -> str:
        return f"{self.scene}-{self.line}"

    @property
    def questions(self) -> list[str]:
        return [command for command in self.commands if not _START.match(command)]


def examples(page: str) -> Iterator[Example]:
    """The examples of *page*, shorthands (`Q="dig …"`) written out."""
    scene = ""
    shorthands: dict[str, str] = {}
    blocks = list(_FENCE.finditer(page))
    for number, block in enumerate(blocks):
        if block["kind"] != "sh":
            continue
        commands = []
        for command in block["body"].splitlines():
            if shorthand := _SHORTHAND.match(command):
                shorthands[shorthand["name"]] = shorthand["command"]
                continue
            if start := _START.match(command):
                scene = start["scene"]
            commands.append(re.sub(r"^\$([A-Z])\b", lambda match: shorthands[match[1]], command))
        following = blocks[number + 1] if number + 1 < len(blocks) else None
        shown = (
            following is not None
            and following["kind"] == "text"
            and not page[block.end() : following.start()].strip()
        )
        line = page.count("\n", 0, block.start()) + 1
        yield Example(scene, line, tuple(commands), following["body"] if shown and following else None)


def perform(example: Example, folder: Path, port: int) -> str:
    """What the commands print, run in *folder*, with *port* in place of the page's."""
    printed = []
    for command in example.questions:
        words = shlex.split(command)
        tool(words[0])
        done = run([str(port) if word == PAGE_PORT else word for word in words], cwd=folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed.append(done.stdout)
    return "\n".join(printed)


def seen(text: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """The statuses and records in *text*; the serial of an SOA is the time of the last change, whatever it is."""
    anonymous = re.sub(r"(hostmaster\.\S+) \S+", r"\1 SERIAL", text)
    return re.findall(r"status: (\w+)", text), records(anonymous)
