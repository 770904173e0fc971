"""The command: exit codes, JSON, standard input, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dnsserver.commands import explain
from dnsserver.explaining.explanation import as_json, from_json
from tests.explaining.situation import CLUSTER
from tests.support.process import free_port

WEB = "web.default.svc.cluster.local"


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((WEB, CLUSTER), 0),
        ((WEB, "SRV", CLUSTER), 0),
        ((WEB, "aaaa", CLUSTER), 1),
        (("wbe.default", "--from", "default/slow-1", CLUSTER), 1),
        (("db.data", "--from", "default/slow-1", CLUSTER), 0),
        ((WEB, "--from", "default/nobody", CLUSTER), 2),
        ((WEB, "--from", "nowhere", CLUSTER), 2),
        ((WEB, "no-such-file.yaml"), 2),
        (("a..b", CLUSTER), 2),
        ((WEB, "-conf", "no-such-file"), 2),
        ((WEB, "--server", "nowhere"), 2),
    ],
    ids=lambda value: (
        " ".join(map(str, value)).replace(str(CLUSTER), "CLUSTER") if isinstance(value, tuple) else value
    ),
)
def test_exit_code(words: Sequence[str | Path], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.run([*map(str, words)]) == code
    out, err = capsys.readouterr()
    assert bool(out) == (code != 2)
    assert err.count("\n") == (code == 2)


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.run([WEB, "--server", f"127.0.0.1:{free_port()}"]) == 2
    assert "no server answers at" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--server", "127.0.0.1:1", str(CLUSTER)], ["-conf", "x", str(CLUSTER)], ["--no"]]
)
def test_wrong_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        explain.run([WEB, *words])
    assert raised.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.run(["typo.default.svc.cluster.local", str(CLUSTER), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert (found["name"], found["type"], found["resolves"]) == (
        "typo.default.svc.cluster.local.",
        "A",
        False,
    )
    cause = found["causes"][0]
    assert cause["code"] == "selector-matches-nothing"
    assert [place["kind"] for place in cause["objects"]] == ["Service", "Deployment", "Pod"]
    assert cause["objects"][2]["made_by"]["kind"] == "Deployment"
    assert as_json(from_json(found)) == found


def test_colours(capsys: pytest.CaptureFixture[str]) -> None:
    explain.run([WEB, str(CLUSTER), "--color", "always"])
    coloured = capsys.readouterr().out
    explain.run([WEB, str(CLUSTER)])
    assert "\x1b[" in coloured
    assert "\x1b[" not in capsys.readouterr().out


def test_type_or_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is called as a type is a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "MX").write_text(CLUSTER.read_text())
    assert explain.run([WEB, "MX"]) == 0
    assert "MX:2" in capsys.readouterr().out


def test_corefile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Corefile").write_text(
        f".:0 {{\nlog\nkubernetes cluster.local {{\nmanifests {CLUSTER}\n}}\n}}\n"
    )
    assert explain.run(["wbe.default.svc.cluster.local", "-conf", str(tmp_path / "Corefile")]) == 1
    out, err = capsys.readouterr()
    assert f"{tmp_path}/Corefile:1" in out
    assert err == ""
