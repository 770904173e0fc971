"""docs/names-lint-diff.md: what its examples print is what the program prints."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.process import PATIENCE_S, REPOSITORY, environment

DOCS = REPOSITORY / "docs" / "names-lint-diff.md"
SESSION = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```", re.DOTALL)
GIVEN = re.compile(r"```(?:yaml|text)\n# (?P<name>\S+)\n(?P<text>.*?)```", re.DOTALL)


def printed(command: str, folder: Path) -> str:
    """What *command* writes to standard output in *folder*."""
    whole = command.replace("dnsserver", f"{sys.executable} -m dnsserver", 1)
    done = subprocess.run(
        ["sh", "-c", whole],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def prepared(folder: Path, text: str) -> None:
    """The files of the examples."""
    for found in GIVEN.finditer(text):
        (folder / found["name"]).write_text(found["text"])
    changed = (folder / "shop.yaml").read_text().replace("10.96.1.1", "10.96.1.2")
    (folder / "shop-new.yaml").write_text(changed)


def test_examples(tmp_path: Path) -> None:
    text = DOCS.read_text()
    prepared(tmp_path, text)
    sessions = list(SESSION.finditer(text))
    assert len(sessions) == 6
    for session in sessions:
        assert printed(session["command"], tmp_path) == session["output"], session["command"]
