"""The entry points: a Corefile as frozen values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import files
from dnsserver.config.directive import Directive
from dnsserver.config.environment import Environment
from dnsserver.config.errors import ConfigError
from dnsserver.config.imports import Imports
from dnsserver.config.keys import ServerKey, server_keys
from dnsserver.config.lexer import Token, lex, shown, too_large
from dnsserver.config.parser import Parser, RawBlock
from dnsserver.config.stream import MAX_TOKENS, TokenStream

#: UDP and TCP port of DNS (RFC 1035 §4.2).
DNS_PORT = 53
#: Zones in one configuration, each key counted; a single CIDR gives up to 128.
MAX_KEYS = 100_000
#: What the built-in configuration calls itself in messages, as in CoreDNS.
DEFAULT_FILE = "Corefile"

_LIKE_CIDR = re.compile(r"[0-9a-fA-F.:]+/[0-9]+\.")


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """The zones of one block and what stands in it; `file` and `line` are those of its first key."""

    keys: tuple[ServerKey, ...]
    directives: tuple[Directive, ...]
    file: str
    line: int

    @property
    def zones(self) -> tuple[str, ...]:
        """All zones of the block, which plugins take that have no zones of their own."""
        return tuple(dict.fromkeys(key.zone for key in self.keys))

    def directive(self, name: str) -> Directive | None:
        """All occurrences of the plugin *name*."""
        return next((directive for directive in self.directives if directive.name == name), None)


@dataclass(frozen=True, slots=True)
class Corefile:
    """A whole configuration; `files` are all that were read, `warnings` what its author should hear.

    `digest` is the SHA-512, in hex, of its words with those of its imports, by line and block: comments and white space
    do not count. `built_in`: the text had no server block, so this is the built-in configuration.
    """

    blocks: tuple[ServerBlock, ...]
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    digest: str = ""
    built_in: bool = False


def load(
    path: Path, *, directives: Collection[str], environ: Mapping[str, str], default_port: int = DNS_PORT
) -> Corefile:
    """Read and parse the file at *path*; ConfigError says why it cannot be used."""
    text, directory = read_file(path)
    corefile = parse(
        text,
        file=str(path),
        directory=directory,
        directives=directives,
        environ=environ,
        default_port=default_port,
    )
    return replace(corefile, files=(path, *corefile.files))


def read_file(path: Path) -> tuple[str, Path]:
    """The text at *path*, and the folder in which its imports are looked for. Raises ConfigError."""
    try:
        directory = path.absolute().parent
        return files.read_text(path, regular_only=False), directory
    except files.UnreadableError as error:
        raise ConfigError(f"{path} - cannot be read: {error}; name another file with -conf") from error
    except OSError as error:
        raise ConfigError(
            f"{path} - cannot be found from a working directory that is gone: {error}"
        ) from error


def parse(
    text: str,
    *,
    file: str,
    directory: Path,
    directives: Collection[str],
    environ: Mapping[str, str],
    default_port: int = DNS_PORT,
) -> Corefile:
    """Parse *text*; messages call it *file*, and its imports are looked for in *directory*.

    A text without any server block gives the built-in configuration: the root zone with `whoami` and `log`.
    """
    read = _Read.of(text, file, directory, directives, environ)
    raw_blocks = read.blocks or _default_blocks(directory)
    keyed = _with_keys(raw_blocks, default_port)
    blocks = tuple(
        ServerBlock(keys, raw.directives, raw.opening.file, raw.opening.line)
        for raw, keys in zip(raw_blocks, keyed, strict=True)
    )
    warnings = (*read.warnings, *_doubts(raw_blocks))
    return Corefile(blocks, warnings, read.files, _digest(read.blocks), built_in=not read.blocks)


def digest_of(text: str, *, file: str, directory: Path, environ: Mapping[str, str]) -> str:
    """`Corefile.digest` of *text*, which may have directives and server keys that nobody knows. Raises ConfigError when
    its form is wrong."""
    return _digest(_Read.of(text, file, directory, _Anything(), environ).blocks)


@dataclass(frozen=True, slots=True)
class _Read:
    """What stands in a text and in what it imports, before any of it is given a meaning."""

    blocks: list[RawBlock]
    warnings: list[str]
    files: tuple[Path, ...]

    @classmethod
    def of(
        cls, text: str, file: str, directory: Path, directives: Collection[str], environ: Mapping[str, str]
    ) -> _Read:
        lexed = lex(text, file, limit=MAX_TOKENS)
        environment = Environment(environ)
        stream = TokenStream(lexed.tokens, file)
        imports = Imports(stream, environment, file, directory)
        parser = Parser(stream, imports, environment, directives)
        blocks = parser.blocks()
        warnings = [*lexed.warnings, *imports.warnings, *environment.warnings, *parser.warnings]
        return cls(blocks, warnings, tuple(imports.files))


class _Anything(Collection[str]):
    """Every directive is known."""

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _digest(blocks: Sequence[RawBlock]) -> str:
    words = [
        [
            [token.text for token in block.keys],
            [
                [name, *([one.texts, [line.words for line in one.properties]] for one in found)]
                for name, found in block.occurrences.items()
            ],
        ]
        for block in blocks
    ]
    return hashlib.sha512(json.dumps(words).encode()).hexdigest()


def _default_blocks(directory: Path) -> list[RawBlock]:
    tokens = lex(". {\nwhoami\nlog\n}\n", DEFAULT_FILE, limit=MAX_TOKENS).tokens
    stream, environment = TokenStream(tokens, DEFAULT_FILE), Environment({})
    imports = Imports(stream, environment, DEFAULT_FILE, directory)
    return Parser(stream, imports, environment, ("whoami", "log")).blocks()


def _with_keys(raw_blocks: list[RawBlock], default_port: int) -> list[tuple[ServerKey, ...]]:
    """The keys of each block."""
    keyed, spare = [], MAX_KEYS
    for raw in raw_blocks:
        keys: list[ServerKey] = []
        for token in raw.keys:
            keys += _keys_of(token, default_port)
            if len(keys) > spare:
                raise too_large(token.file, token.line, f"more than {MAX_KEYS} zones")
        spare -= len(keys)
        keyed.append(tuple(keys))
    return keyed


def _keys_of(token: Token, default_port: int) -> tuple[ServerKey, ...]:
    try:
        return server_keys(token.text, default_port)
    except ConfigError as error:
        hint = "; put a blank before '{'" if token.text.endswith("{") else ""
        raise ConfigError(f"error inspecting server blocks: {error}{hint} ({token.where})") from None


def _doubts(raw_blocks: list[RawBlock]) -> list[str]:
    """Keys that are read as CoreDNS reads them, but hardly as they were meant."""
    doubts = []
    for token in (token for raw in raw_blocks for token in raw.keys):
        key = server_keys(token.text, DNS_PORT)[0]
        if token.text.endswith("{"):
            doubts.append(f"{token.where} - '{shown(token.text)}' is one word; put a blank before '{{'")
        elif _LIKE_CIDR.fullmatch(key.zone):
            doubts.append(
                f"{token.where} - '{shown(token.text)}' is no CIDR and is served as the name {key.zone}"
            )
    return doubts
