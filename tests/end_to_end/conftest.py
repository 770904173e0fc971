"""What the tests of the command line are given."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from dnsserver import cli
from tests.end_to_end.commands import Done
from tests.support.process import (
    free_port,
)


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs a command that serves nothing, in the test's folder, without a process."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, text: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        try:
            code = cli.main(arguments)
        except SystemExit as end:  # argparse
            code = end.code if isinstance(end.code, int) else 1
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return called


@pytest.fixture
def port() -> int:
    return free_port()
