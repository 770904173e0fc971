"""Section 1.4 of coredns-compat.md: snippets and imports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dnsserver.config import ConfigError, files, imports, load, parse, stream
from tests.config.helpers import DIRECTIVES, outcome, parsed

P = "Corefile:{} - Error during parsing: {}"
ROOT = "dns://.:53 "
TOO_DEEP = "maximum snippet import depth (10000) exceeded"
S = "(s) {\nerrors\n}\n"

FILES = {
    "a.server": "a.org {\nwhoami\n}\n",
    "b.server": "b.org {\nwhoami\n}\n",
    ".hidden.server": "h.org {\nwhoami\n}\n",
    "log.override": "log . {\nclass all\n}\n",
    "rows": "10.0.0.1 one\n10.0.0.2 two\n",
    "row": "10.0.0.3 three",
    "bad.override": "log\nbogus\n",
    "zone": "z.org",
    "self": "import self\n",
    "double": "import double\nimport double\n",
    "wrong": "errors\n}\n",
    "sub/outer": "import inner\n",
    "sub/inner": "errors\n",
    "two*": "log\n",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


ACCEPTED = (
    (S + ". {\nimport s\n}", ROOT + "{errors}"),
    (S + ". { import s\n}", ROOT + "{errors}"),
    ("(s)\n{\nlog {\nclass all\n}\n}\n. {\nimport s\nwhoami\n}", ROOT + "{log [class all]; whoami}"),
    (S + "(t) {\nlog\nimport s\n}\n. {\nimport t\nwhoami\n}", ROOT + "{log; errors; whoami}"),
    (S + ". {\nimport s\nimport s\n}", ROOT + "{errors; errors}"),
    ("(s) {\n}\n. {\nimport s\nlog\n}", ROOT + "{log}"),
    ("(s) {\nclass all\n}\n. {\nlog {\nimport s\nimport s\n}\n}", ROOT + "{log [class all; class all]}"),
    ("(b) {\na.org {\nlog\n}\n}\nimport b\n", "dns://a.org.:53 {log}"),
    ("import a.server", "dns://a.org.:53 {whoami}"),
    (
        "import *.server\n. {\n}",
        "dns://h.org.:53 {whoami} | dns://a.org.:53 {whoami} | dns://b.org.:53 {whoami} | " + ROOT + "{}",
    ),
    ("import ?.server", "dns://a.org.:53 {whoami} | dns://b.org.:53 {whoami}"),
    (". {\nimport log.override\n}", ROOT + "{log . [class all]}"),
    (
        ". {\nhosts {\nimport rows\nimport row\nimport row\n}\n}",
        ROOT + "{hosts [10.0.0.1 one; 10.0.0.2 two; 10.0.0.3 three; 10.0.0.3 three]}",
    ),
    (". {\nimport sub/outer\n}", ROOT + "{errors}"),
    ("import zone\n{\nlog\n}", "dns://z.org.:53 {log}"),
    (". {\nwhoami import s\n}", ROOT + "{whoami import s}"),
    (". {\nimport none*\nlog\n}", ROOT + "{log}"),
    ("import none*", ROOT + "{whoami; log}"),
    ("a import b {\n}", "dns://a.:53 dns://import.:53 dns://b.:53 {}"),
)

REFUSED = (
    (". {\nimport s\n}\n" + S, P.format(2, "File to import not found: s")),
    (S + S, P.format(4, "redeclaration of previously declared snippet s")),
    ("(s)\nwhoami", "Corefile:2 - Syntax error: Unexpected token 'whoami', expecting '{'"),
    ("(s)", "Corefile:1 - Syntax error: Unexpected token '(s)', expecting '{'"),
    ("(s) {\nlog {", "Corefile:2 - Syntax error: Unexpected token '{', expecting '}'"),
    ("(s) {\nimport s\n}\n", P.format(3, TOO_DEEP)),
    (S + "(t) {\nimport t\n}\n", P.format(6, TOO_DEEP)),
    ("(a) {\nimport b\n}\n(b) {\nimport a\n}\n. {\nimport a\n}", P.format(5, TOO_DEEP)),
    (". {\nimport\n}", P.format(2, "Wrong argument count or unexpected line ending after 'import'")),
    (". {\nimport a b\n}", P.format(2, "Import takes only one argument (glob pattern or file)")),
    ('. {\nimport ""\n}', P.format(2, "Import requires a non-empty filepath")),
    (". {\nimport none\n}", P.format(2, "File to import not found: none")),
    (". {\nimport nodir/*/x\nimport none\n}", P.format(3, "File to import not found: none")),
    (". {\nimport [ab\n}", P.format(2, "Failed to use import pattern [ab: syntax error in pattern")),
)


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_accepted(text: str, expected: str, directory: Path) -> None:
    assert outcome(text, directory=directory) == expected


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_refused(text: str, expected: str, directory: Path) -> None:
    assert outcome(text, directory=directory) == expected


@pytest.mark.parametrize("pattern", ["*/*", "??.server", "[ab].server"])
def test_patterns_with_more_than_one_wildcard(pattern: str, directory: Path) -> None:
    message = P.format(
        2, f"Glob pattern may only contain one wildcard (*), but has others: {directory}/{pattern}"
    )
    assert outcome(f". {{\nimport {pattern}\n}}", directory=directory) == message


def test_errors_cite_the_imported_file(directory: Path) -> None:
    expected = f"{directory}/bad.override:2 - Error during parsing: Unknown directive 'bogus'"
    assert outcome(". {\nimport bad.override\n}", directory=directory) == expected


def test_a_brace_may_come_from_an_import(directory: Path) -> None:
    assert outcome(". {\nimport wrong", directory=directory) == ROOT + "{errors}"


def test_directories_are_refused(directory: Path) -> None:
    expected = P.format(2, f"Could not import {directory}/sub: is a directory")
    assert outcome(". {\nimport sub\n}", directory=directory) == expected


def test_pipes_are_refused_without_waiting_for_a_writer(directory: Path) -> None:
    os.mkfifo(directory / "pipe")
    expected = P.format(2, f"Could not import {directory}/pipe: is not a regular file")
    assert outcome(". {\nimport pipe\n}", directory=directory) == expected


def test_dangling_links_are_refused(directory: Path) -> None:
    (directory / "link").symlink_to(directory / "gone")
    expected = P.format(2, f"Could not import {directory}/link: No such file or directory")
    assert outcome(". {\nimport link\n}", directory=directory) == expected


def test_imported_files_must_be_utf8(directory: Path) -> None:
    (directory / "latin").write_bytes(b"log\n# \xe9\n")
    expected = f"{directory}/latin:2 - Error during parsing: octet 0xe9 is not UTF-8; save the file as UTF-8"
    assert outcome(". {\nimport latin\n}", directory=directory) == expected


def test_missing_glob_is_a_warning(directory: Path) -> None:
    corefile = parsed(". {\nimport none*\n}", directory=directory)
    assert corefile.warnings == ("No files matching import glob pattern: none* (Corefile:2)",)


def test_warnings_of_imported_files(directory: Path) -> None:
    (directory / "cut").write_text("log#x\n")
    (warning,) = parsed(". {\nimport cut\n}", directory=directory).warnings
    assert warning.startswith(f"{directory}/cut:1 - '#' directly behind 'log'")


@pytest.mark.parametrize("name", ["self", "double"])
def test_self_import_of_files_is_stopped(name: str, directory: Path) -> None:
    message = "maximum file import depth (100) exceeded; look for a file that imports itself"
    expected = f"{directory}/{name}:1 - Error during parsing: {message}"
    assert outcome(f". {{\nimport {name}\n}}", directory=directory) == expected


def test_the_number_of_file_imports_is_limited(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_FILE_IMPORTS", 2)
    message = "maximum file import depth (2) exceeded; look for a file that imports itself"
    assert outcome("import a.server\nimport a.server\nimport a.server", directory=directory) == P.format(
        3, message
    )


def test_growing_imports_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_TOKENS", 5_000)
    text = "(s0) {\nlog\n}\n" + "".join(
        f"(s{n}) {{\nimport s{n - 1}\nimport s{n - 1}\n}}\n" for n in range(1, 30)
    )
    assert "configuration too large: more than 5000 words after all imports" in outcome(
        f"{text}. {{\nimport s29\n}}"
    )


def test_large_files_are_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_OCTETS", 10)
    assert outcome("import a.server", directory=directory).endswith("a.server: is larger than 10 octets")


def test_large_directories_are_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_GLOB_ENTRIES", 3)
    expected = P.format(1, f"Failed to use import pattern *.x: {directory} has more than 3 entries")
    assert outcome("import *.x", directory=directory) == expected


def test_load_reads_the_file_and_names_all_files(directory: Path) -> None:
    path = directory / "Corefile"
    path.write_text("import a.server\n. {\nlog\n}\n")
    corefile = load(path, directives=DIRECTIVES, environ={}, default_port=1053)
    assert corefile.files == (path, directory / "a.server")
    assert [block.file for block in corefile.blocks] == [str(directory / "a.server"), str(path)]
    assert [block.keys[0].port for block in corefile.blocks] == [1053, 1053]


def test_load_of_a_relative_path(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "Corefile").write_text("import a.server\nbogus. {\nbogus\n}\n")
    monkeypatch.chdir(directory)
    with pytest.raises(ConfigError, match=r"^Corefile:3 - Error during parsing: Unknown directive 'bogus'$"):
        load(Path("Corefile"), directives=DIRECTIVES, environ={})


def test_load_failures(directory: Path) -> None:
    (directory / "binary").write_bytes(b"\n\xff")
    (directory / "zero").write_bytes(b"a\n\0")
    reasons = {
        "gone": "gone - cannot be read: No such file or directory; name another file with -conf",
        "sub": "sub - cannot be read: is a directory; name another file with -conf",
        "binary": "binary:2 - Error during parsing: octet 0xff is not UTF-8; save the file as UTF-8",
        "zero": "zero:2 - Error during parsing: the text has a null character; "
        "save the file as UTF-8 (not UTF-16) text",
        "a\0b": "b - cannot be read: is not a possible file name; name another file with -conf",
    }
    for name, reason in reasons.items():
        with pytest.raises(ConfigError) as caught:
            load(directory / name, directives=DIRECTIVES, environ={})
        assert str(caught.value).endswith(reason)


@pytest.mark.parametrize("wanted", ["b.server", "./b.server", "sub/../b.server", "?.server", "../*/b.server"])
def test_paths_relative_to_the_working_directory(
    wanted: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a Corefile from standard input, which is in no directory."""
    monkeypatch.chdir(directory)
    text = f"import {wanted}\n"
    found = parse(text, file="stdin", directory=Path(), directives=DIRECTIVES, environ={})
    assert "b.org." in [block.zones[0] for block in found.blocks]


def test_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match=r"Failed to use import pattern x: the working directory is gone"):
        parse("import x\n", file="stdin", directory=Path(), directives=DIRECTIVES, environ={})
