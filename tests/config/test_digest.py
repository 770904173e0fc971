"""What makes a Corefile another one."""

from pathlib import Path

import pytest

from dnsserver.config import ConfigError, Corefile, Origin

TEXT = """\
a.test b.test {
    hosts x {
        ttl 5
        fallthrough
    }
    whoami
}
import more/*.server
"""
DIRECTIVES = ("whoami", "hosts", "log")


def origin(folder: Path, text: str) -> Origin:
    (folder / "Corefile").write_text(text)
    return Origin(path=folder / "Corefile", directives=DIRECTIVES, environ={})


@pytest.fixture
def digest(tmp_path: Path) -> str:
    return origin(tmp_path, TEXT).read().digest


def test_is_a_sha512(digest: str) -> None:
    assert len(bytes.fromhex(digest)) == 64


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "# a comment\n\n" + TEXT,
        TEXT.replace("    ", "\t"),
        TEXT.replace("ttl 5", 'ttl   "5" # five'),
        TEXT.replace("a.test b.test", "a.test, b.test"),
        TEXT.replace("ttl 5", "ttl 5{$NONE}"),
    ],
)
def test_same_words(text: str, digest: str, tmp_path: Path) -> None:
    assert origin(tmp_path, text).digest() == digest


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("ttl 5", "ttl 6"),
        TEXT.replace("ttl 5", "ttl\n5"),
        TEXT.replace("hosts x {", "hosts {").replace("ttl 5", "x ttl 5"),
        TEXT.replace("a.test b.test", "b.test a.test"),
        TEXT.replace("whoami", "whoami\n whoami"),
        TEXT.replace("whoami", "cashe"),
        TEXT.replace("b.test", "b.test:99999"),
        TEXT + "c.test {\n}\n",
        "",
    ],
)
def test_other_words(text: str, digest: str, tmp_path: Path) -> None:
    """Also those that can only be told apart, and not be served."""
    assert origin(tmp_path, text).digest() != digest


def test_imports_count(digest: str, tmp_path: Path) -> None:
    """By what is in them, whichever way they came: a ConfigMap's files are links through `..data`."""
    corefile = origin(tmp_path, TEXT)
    for version, words in (("1", "log"), ("2", "whoami")):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "x.server").write_text(f"x.test {{\n{words}\n}}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.server").symlink_to(tmp_path / "..data" / "x.server")
    (tmp_path / "..data").symlink_to("..1")
    first = corefile.digest()
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    second = corefile.digest()
    (tmp_path / "more" / "x.server").unlink()
    assert len({digest, first, second}) == 3
    assert corefile.digest() == digest


def test_text_without_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unexpected EOF"):
        origin(tmp_path, "a.test {\nhosts {\n").digest()


def test_file_that_is_not_there(tmp_path: Path) -> None:
    missing = Origin(path=tmp_path / "none", directives=DIRECTIVES, environ={})
    for act in (missing.read, missing.digest):
        with pytest.raises(
            ConfigError, match=r"loading Caddyfile via flag: open .*none: no such file or directory"
        ):
            act()


def test_optional_file_is_an_empty_text(tmp_path: Path) -> None:
    corefile: Corefile = Origin(
        path=tmp_path / "Corefile", directives=("whoami", "log"), environ={}, optional=True
    ).read()
    assert corefile.built_in


def test_given_text_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = Origin(path=Path("stdin"), text="import *.server\n", directives=DIRECTIVES, environ={})
    assert given.read().built_in
    before = given.digest()
    (tmp_path / "x.server").write_text("x.test {\nwhoami\n}\n")
    assert given.read().digest == given.digest() != before
