"""docs/corefile.md is true of the code: its examples load, its messages exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dnsserver import config
from tests.config.helpers import DIRECTIVES, NOWHERE, only, outcome, parsed

MANUAL = Path(__file__).parents[2] / "docs" / "corefile.md"
TEXT = MANUAL.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```corefile\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == TEXT.count("```") / 2 == 5


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_load(number: int) -> None:
    known = DIRECTIVES | {"loadbalance"}
    corefile = config.parse(
        EXAMPLES[number], file="Corefile", directory=NOWHERE, directives=known, environ={}, default_port=53
    )
    assert corefile.blocks
    assert all("No files matching" in warning for warning in corefile.warnings)


#: What provokes each message of the manual, in the manual's order: texts, or what plugins do with a parsed line.
PROVOKED: tuple[str | Callable[[], object], ...] = (
    ". {\nforwad\n}",
    ". { whoami }",
    ". {\nlog",
    "(s)\nlog",
    ". {\nlog {",
    "a, {\n}",
    ". {\nlog\n{\n}\n}",
    lambda: only("log").one(),
    lambda: only("log").unknown(),
    lambda: parsed(". {\ncache\ncache\n}").blocks[0].directives[0].once(),
    lambda: parsed(". {\nlog\n}").blocks[0].directives[0].missing_plugin(),
    lambda: only("log x").integer(only("log x").one()),
    lambda: only("log 30").duration(only("log 30").one()),
    lambda: only("log x").duration(only("log x").one()),
    lambda: only("log 1d").duration(only("log 1d").one()),
    "a..b {\n}",
    "a: {\n}",
    "a." * 150 + " {\n}",
    "::/0 {\n}",
    "a:65536 {\n}",
    "x://a {\n}",
    lambda: config.check_overlaps([config.ListenEntry("dns", "a.", 53)] * 2),
    lambda: config.check_overlaps([config.ListenEntry("dns", "a.", 53, where) for where in ("", "::1")]),
    "import x",
    "import .",
    "import */*",
    "import [",
    'import ""',
    "import a b",
    "(s) {\n}\n(s) {\n}",
    "(s) {\nimport s\n}",
    "import self",
    "{$SELF} {\n}",
    "10.0.0.0/9 " * 1_000 + "{\n}",
    lambda: config.load(MANUAL.parent / "gone", directives=(), environ={}),
)


def messages(table: int) -> list[str]:
    """The messages in the first cells of a table, but those of files that are not text."""
    cells = re.findall(
        r"^\| (`.*?) \| ", TEXT.partition("## Messages")[2].split("Warnings do not")[table], re.MULTILINE
    )
    found = [message for cell in cells for message in re.findall(r"`(.*?)`(?= |,|$)", cell)]
    return [message for message in found if not message.startswith(("octet", "the text has"))]


def provoked(cause: str | Callable[[], object], directory: Path) -> str:
    if isinstance(cause, str):
        return outcome(cause, directory=directory)
    try:
        return str(cause())
    except config.ConfigError as error:
        return str(error)


#: What stands for a value in the manual's messages; the fixed words between the values must be in the real one.
VALUE = re.compile(r"'[xy{}]+'|\"[x\d]*d?\"|\b[xyn]\b|FILE|REASON|\.\.\.|'")


def test_messages_are_real(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("import self\n")
    for message, cause in zip(messages(0), PROVOKED, strict=True):
        real = provoked(cause, tmp_path)
        assert [part for part in VALUE.split(message) if part.strip() not in real] == [], (message, real)


DOUBTFUL = (
    ". {\nlog#x\n}",
    '.\nlog "',
    ". {\nlog {$X}\n}",
    "import x*",
    "{\n}",
    ". {\nlog {\n}",
    "x:53{\nlog\n}",
    "10.0.0.0/33 {\n}",
)


def test_warnings_are_real() -> None:
    for message, text in zip(messages(1), DOUBTFUL, strict=True):
        (real,) = parsed(text).warnings
        assert [part for part in VALUE.split(message) if part.strip() not in real] == [], (message, real)


def test_limits_are_those_of_the_code() -> None:
    limits = {
        "one file": f"{config.files.MAX_FILE_OCTETS >> 20} MiB",
        "words after all imports": f"{config.stream.MAX_TOKENS:,}",
        "zones of all keys": f"{config.corefile.MAX_KEYS:,}",
        "imports of snippets": f"{config.imports.MAX_SNIPPET_IMPORTS:,}",
        "imports of files, in a row": f"{config.imports.MAX_FILE_DEPTH}",
        "imports of files": f"{config.imports.MAX_FILE_IMPORTS:,}",
        "directory entries behind a pattern": f"{config.files.MAX_GLOB_ENTRIES:,}",
        "one word with its variables": f"{config.environment.MAX_EXPANDED_LENGTH >> 20} MiB, "
        f"{config.environment.MAX_REPLACEMENTS:,} replacements",
    }
    for what, limit in limits.items():
        assert f"| {what} | {limit} |" in TEXT
