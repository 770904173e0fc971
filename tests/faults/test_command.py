"""`dnsserver serve --faults`: for those who do not use Python."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, ServerProcess, command_line, environment, free_port, wait_until

SCRIPT = """
rcode SERVFAIL name=nginx.* type=A nth=1
truncate protocol=udp type=TXT
"""
NAME = "nginx.default.svc.cluster.local"


def dig(port: int, *words: str) -> str:
    command = ["dig", "@127.0.0.1", "-p", str(port), "+tries=2", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.mark.tool("dig")
def test_faults_transcript_and_log(tmp_path: Path) -> None:
    port, script, transcript = free_port(), tmp_path / "script", tmp_path / "transcript"
    script.write_text(SCRIPT)
    arguments = ("serve", REPOSITORY / "zones/demo", "--port", str(port))
    with ServerProcess(*arguments, "--faults", script, "--seed", "3", "--transcript", transcript) as server:
        server.wait_for("Stop with Ctrl-C")
        assert "status: SERVFAIL" in dig(port, NAME)
        assert "10.8.5.220" in dig(port, NAME, "+short")
        assert "retrying in TCP mode" in dig(port, NAME, "TXT")
        wait_until(lambda: f"{NAME} TXT #1: NOERROR TC" in server.told(), server.told)
        assert (
            f"127.0.0.1 udp {NAME} A #1: SERVFAIL [rcode SERVFAIL name=nginx.* type=A nth=1]" in server.told()
        )
    noted = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert [(each["protocol"], each["type"], each["n"], each["rcode"]) for each in noted] == [
        ("udp", "A", 1, "SERVFAIL"),
        ("udp", "A", 2, "NOERROR"),
        ("udp", "TXT", 1, "NOERROR"),
        ("tcp", "TXT", 1, "NOERROR"),
    ]


@pytest.mark.tool("dig")
def test_a_transcript_that_cannot_be_written_is_told_and_dns_goes_on(tmp_path: Path) -> None:
    port, script = free_port(), tmp_path / "script"
    script.write_text(SCRIPT)
    arguments = ("serve", REPOSITORY / "zones/demo", "--port", str(port), "--faults", script)
    with ServerProcess(*arguments, "--transcript", "/dev/full") as server:
        server.wait_for("Stop with Ctrl-C")
        assert [dig(port, NAME, "+short").strip() for _ in range(3)][1:] == ["10.8.5.220"] * 2
        wait_until(lambda: "the transcript ends here" in server.told(), server.told)
        assert server.told().count("the transcript ends here") == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--seed", "1"), 2, "--seed and --transcript are for --faults"),
        (("--faults", "good", "--workers", "2"), 2, "leave --workers out"),
        (("--faults", "none"), 1, "none: No such file or directory"),
        (("--faults", "bad"), 1, "bad:1: unknown fault 'dorp'"),
        (("--faults", "latin"), 1, "latin: not UTF-8 (octet 0)"),
        (("--faults", "good", "--transcript", "no/file"), 1, "no/file: No such file or directory"),
    ],
    ids=["seed alone", "workers", "missing", "unknown", "encoding", "transcript"],
)
def test_what_is_refused(words: tuple[str, ...], code: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "good").write_text(SCRIPT)
    (tmp_path / "bad").write_text("dorp\n")
    (tmp_path / "latin").write_bytes(b"\xe4\n")
    command = command_line(("serve", REPOSITORY / "zones/demo", *words))
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
