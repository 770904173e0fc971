"""Where a Corefile comes from, so that it can be read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dnsserver.config.corefile import DNS_PORT, Corefile, digest_of, load, parse, read_file
from dnsserver.config.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file at `path`, or a `text` that was given in its place: then `path` is what messages call it, and its
    imports are looked for in the working directory. `optional`: a file that is not there is an empty text."""

    path: Path
    directives: Collection[str]
    environ: Mapping[str, str]
    default_port: int = DNS_PORT
    text: str | None = None
    optional: bool = False

    @property
    def directory(self) -> Path:
        """What relative paths in the Corefile count from."""
        return self.path.parent if self.text is None else Path()

    def read(self) -> Corefile:
        """The Corefile as it is now, with its imports. Raises ConfigError."""
        given = self._given()
        if given is None:
            return load(
                self.path,
                directives=self.directives,
                environ=self.environ,
                default_port=self.default_port,
            )
        return parse(
            given,
            file=str(self.path),
            directory=Path(),
            directives=self.directives,
            environ=self.environ,
            default_port=self.default_port,
        )

    def digest(self) -> str:
        """The `Corefile.digest` of what is there now, be it no Corefile that can be served. Raises ConfigError when not
        even its words can be told apart."""
        given = self._given()
        text, directory = read_file(self.path) if given is None else (given, Path())
        return digest_of(text, file=str(self.path), directory=directory, environ=self.environ)

    def _given(self) -> str | None:
        """The text, where it does not come from the file."""
        if self.text is not None or self.path.exists():
            return self.text
        if self.optional:
            return ""
        # CoreDNS's words (coredns-compat.md, section 5.3): start scripts look for them.
        raise ConfigError(f"loading Caddyfile via flag: open {self.path}: no such file or directory")
