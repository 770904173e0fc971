"""Ctrl-C before there is a server: it ends the process without a word."""

import sys
import tomllib
from pathlib import Path

import pytest

from dnsserver import __version__
from tests.support.process import REPOSITORY, environment, free_port
from tests.support.tools import run

#: What a shell reports of a process that Ctrl-C has ended.
INTERRUPTED = 130

#: Runs the package as `python -m dnsserver` does, with Ctrl-C while it imports a module or reads its input.
PROGRAM = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

    def read(self):
        os.kill(os.getpid(), signal.SIGINT)
        return ""

sys.meta_path.insert(0, Interrupting())
sys.stdin = Interrupting()
sys.argv = ["dnsserver", *{words!r}]
{before}
runpy.run_module("dnsserver", run_name="__main__", alter_sys=True)
"""


def interrupted(folder: Path, *words: str, module: str = "", before: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    (folder / "Corefile").write_text(f".:{free_port()} {{\nbind 127.0.0.1\nwhoami\n}}\n")
    code = PROGRAM.format(module=module, words=words, before=before)
    done = run([sys.executable, "-c", code], cwd=folder, env=environment())
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["dnsserver.cli", "dnsserver.runtime.server", "dnsserver.plugins.table"])
def test_while_it_imports(module: str, tmp_path: Path) -> None:
    assert interrupted(tmp_path, "-quiet", module=module) == (INTERRUPTED, "", "")


@pytest.mark.parametrize(
    "words", [("serve", "-"), ("check", "-conf", "stdin"), ("-conf", "stdin")], ids=" ".join
)
def test_while_it_reads(words: tuple[str, ...], tmp_path: Path) -> None:
    assert interrupted(tmp_path, *words) == (INTERRUPTED, "", "")


def test_ignored_where_the_parent_says_so(tmp_path: Path) -> None:
    before = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    done = interrupted(tmp_path, "-version", module="dnsserver.cli", before=before)
    assert (done[0], done[1].splitlines()[0]) == (0, f"dnsserver-{__version__}")


def test_after_the_event_loop_has_ended(tmp_path: Path) -> None:
    """The loop leaves the usual handler behind, which raises KeyboardInterrupt."""
    before = (
        "import dnsserver.cli\n"
        "def main():\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "dnsserver.cli.main = main"
    )
    assert interrupted(tmp_path, before=before) == (INTERRUPTED, "", "")


def test_installed_command_imports_nothing_before_it_is_safe(tmp_path: Path) -> None:
    entry = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]["dnsserver"]
    module, _, name = entry.partition(":")
    code = (
        f"from {module} import {name}\nimport sys\n"
        "print(*sorted(m for m in sys.modules if m.startswith('dnsserver.')))\n"
        f"sys.argv = ['dnsserver', '-version']\nsys.exit({name}())"
    )
    done = run([sys.executable, "-c", code], cwd=tmp_path, env=environment())
    first, version, *_ = done.stdout.splitlines()
    assert (first, version) == ("dnsserver.__main__", f"dnsserver-{__version__}")
    assert done.returncode == 0
