"""Commands, metrics and headings of a page."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import REPOSITORY

DOCS = REPOSITORY / "docs"
_CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_METRIC = re.compile(r"\b(?:coredns|dnsserver|process|go)_[a-z0-9_]*[a-z0-9]\b")
#: What stands for a value in commands, and one that it can have.
VALUES = {
    "$OLD": "10.96.0.10",
    "$NEW": "10.96.0.77",
    "$NODE": "node-1",
    "IMAGE": "registry.example/dnsserver",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A line of a page, with values in place of its placeholders."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def words(self) -> list[str]:
        """Of the command itself, without what its output or input is tied to."""
        text = re.split(r" [|<>]", self.text.partition("=$(")[2].removesuffix(")") or self.text)[0]
        for name, value in VALUES.items():
            text = text.replace(name, value)
        return shlex.split(text)

    @property
    def ours(self) -> list[str] | None:
        """The words behind the program's name, in our program or in a container of its image."""
        if self.words[0] == "dnsserver":
            return self.words[1:]
        if (
            self.words[0] == "kubectl"
            and VALUES["IMAGE"] in " ".join(self.words)
            and "--command" not in self.words
        ):
            return self.words[self.words.index("--") + 1 :] if "--" in self.words else None
        return None


def commands(path: Path) -> list[Command]:
    """The lines of `console` blocks that begin with `$ `."""
    text = path.read_text()
    found = []
    for block in _CONSOLE.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block[1].splitlines()):
            if line.lstrip().startswith("$ "):
                found.append(Command(path.name, first + number, line.lstrip()[2:]))
    return found


def metrics(text: str) -> set[str]:
    """The names of series in *text*."""
    return set(_METRIC.findall(text))


def headings(text: str) -> dict[str, str]:
    """Anchor, as GitHub makes it, to the text of that heading's section."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {_anchor(title): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
