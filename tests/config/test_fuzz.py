"""Whatever the text: a Corefile or a ConfigError, and nothing else."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from dnsserver.config import ConfigError, load, seconds, zones_from
from dnsserver.config.gotext import integer
from tests.config.helpers import DIRECTIVES, parsed

#: Texts per seed; together some thousands, in about two seconds.
ROUNDS = 1_500

KEYS = """
. :53 a.org a.org, tls://b :: ::/0 10.0.0.0/9 2001:db8::/29 a..b .a a: a:99999 unix://x \\ \0 é 日本
"""
MARKS = """
{ } { } {} }{ {$ {$} {$ZONE} {$SELF} {$UNSET} {%ZONE%} {$TWO} {{ }} ( ) () (s) (t) " "" "a \" # #c x#y
"""
NAMES = r"""
import import whoami log cache forward hosts errors s t good loop * ? [ ] no* \* nope .. / // ٣ -1 1e9 5s
"""
BLANKS = (
    "\n",
    "\n",
    "\n",
    "\n",
    "\r",
    "\t",
    " ",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "\0",
    "\ud800",
    "\x1f",
    '"a\nb"',
)
LINES = ("(s) {\n log\n}\n", ". {\n", "\n}\n", "log {\n", "import s\n", "import good\n", "import loop\n")
WORDS = (*KEYS.split(), *MARKS.split(), *NAMES.split(), *BLANKS, *LINES)


def soup(rng: random.Random) -> str:
    words = rng.choices(WORDS, k=rng.randint(1, 40))
    text = "".join(word + rng.choice((" ", " ", "", "\n")) for word in words)
    return f"(s) {{\n log\n}}\n. {{\n{text}\n}}\n" if rng.random() < 0.5 else text


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "good").write_text("log {\nclass all\n}\n")
    (tmp_path / "loop").write_text("import s\n")
    return tmp_path


@pytest.mark.parametrize("seed", range(3))
def test_any_words_give_a_corefile_or_a_config_error(seed: int, directory: Path) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        with contextlib.suppress(ConfigError):
            read_all(soup(rng), directory)
            accepted += 1
    assert accepted > 0


def read_all(text: str, directory: Path) -> None:
    """Parse *text* and read all of it as plugins do."""
    for block in parsed(text, directory=directory).blocks:
        for directive in block.directives:
            for found in directive.occurrences:
                for line in (found, *found.properties):
                    line.zones(block.zones)
                    for token in line.arguments:
                        line.integer(token, 0, 5)
                        line.duration(token)


@pytest.mark.parametrize("seed", range(3))
def test_any_octets_in_a_file(seed: int, directory: Path) -> None:
    rng = random.Random(seed)
    path = directory / "Corefile"
    for _ in range(200):
        good = bytearray(soup(rng).encode("utf-8", "replace"))
        for _ in range(rng.randint(0, 3)):
            good[rng.randrange(len(good))] = rng.randrange(256)
        path.write_bytes(good)
        with contextlib.suppress(ConfigError):
            load(path, directives=DIRECTIVES, environ={})


def test_any_text_as_zone_number_or_duration() -> None:
    rng = random.Random(7)
    for _ in range(ROUNDS):
        text = "".join(rng.choices("0123.:/-+hmsµ\\a[%é\ud800\0 ", k=rng.randint(0, 9)))
        for read in (zones_from, seconds, integer):
            with contextlib.suppress(ConfigError, ValueError):
                read(text)


def test_large_input_is_read_or_refused_soon() -> None:
    parsed(". {\nhosts {\n" + "10.0.0.1 name\n" * 50_000 + "}\n}\n")
    for text in ('"' * 100_001, "{" * 100_000, "\\" * 100_000, "{$" * 100_000, "(" * 100_000, "a." * 100_000):
        with contextlib.suppress(ConfigError):
            parsed(text)
