"""The commands `serve` and `check`."""

import re
import signal
import socket
import subprocess
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.end_to_end.commands import DEMO, SERVICE, Finish, answers, finish, started, whoami
from tests.support.process import (
    PATIENCE_S,
    command_line,
    environment,
    free_port,
    wait_until,
)

# serve.


def test_serve_suggests_questions_that_have_answers(tmp_path: Path, port: int) -> None:
    with started("serve", DEMO, "--port", str(port), cwd=tmp_path, until="Stop with Ctrl-C.") as server:
        assert f"Serving on 127.0.0.1 port {port}, UDP and TCP. Try:\n" in server.stdout
        asked = re.findall(rf"^  dig @127\.0\.0\.1 -p {port} (\S+) (\w+)$", server.stdout, re.MULTILINE)
        assert len(asked) >= 4
        for name, rtype in asked:
            reply = dns.query.udp(dns.message.make_query(name, rtype), "127.0.0.1", timeout=2, port=port)
            assert reply.answer, (name, rtype)
        assert f"  nslookup -port={port} " in server.stdout
        assert server.stop(signal.SIGINT) == 0
        assert server.stderr == ""


def test_serve_by_workers_says_who_tells_the_names(tmp_path: Path, port: int) -> None:
    """The process that says what is served does not know the cluster."""
    admin = f"127.0.0.1:{free_port()}"
    words = ("serve", DEMO, "--port", str(port), "--workers", "1", "--admin", admin)
    with started(*words, cwd=tmp_path, until="All names:") as server:
        assert server.stdout.endswith(
            f"Serving on 127.0.0.1 port {port}, UDP and TCP. Stop with Ctrl-C.\n"
            f"All names: dnsserver names --server {admin}\n"
        )
        assert server.stop(signal.SIGINT) == 0


def test_serve_takes_files_folders_zone_and_address(tmp_path: Path, port: int) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder/web.yaml").write_text(SERVICE)
    (tmp_path / "other.yaml").write_text(SERVICE.replace("web", "other"))
    options = ("--zone", "k8s.test", "--address", "::1", "--port", str(port), "--log")
    with started("serve", "a folder", "other.yaml", *options, cwd=tmp_path, until="Stop with") as server:
        for name in ("web", "other"):
            assert answers(port, "::1", f"{name}.default.svc.k8s.test")
        assert not answers(port, "::1", "web.default.svc.cluster.local")
        wait_until(lambda: "other.default.svc.k8s.test." in server.stdout, server.told)
        assert server.stop() == 0


def test_serve_without_path_takes_the_working_folder(tmp_path: Path, port: int) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    with started("serve", "--port", str(port), cwd=tmp_path, until="Stop with Ctrl-C.") as server:
        assert answers(port, name="web.default.svc.cluster.local")
        assert server.stop() == 0


def test_serve_reads_a_rendered_chart_from_standard_input(tmp_path: Path, port: int) -> None:
    with started(
        "serve", "-", "--port", str(port), cwd=tmp_path, stdin=SERVICE, until="Stop with Ctrl-C."
    ) as server:
        assert answers(port, name="web.default.svc.cluster.local")
        assert server.stop() == 0
        assert server.stderr == ""


def test_serve_names_what_is_wrong_on_standard_input(tmp_path: Path, port: int) -> None:
    done = finish("serve", "-", "--port", str(port), cwd=tmp_path, text="kind: Service\nmetadata: [\n")
    assert done.returncode == 1
    assert re.search(r":[23]\b", done.stderr), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["serve", "-"], ["check", "-conf", "stdin"]], ids=" ".join)
def test_standard_input_that_is_no_text(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        command_line(words),
        cwd=tmp_path,
        env=environment(),
        input=b".:0 {\n  whoami # \xff\n}\n",
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert b"UTF-8" in done.stderr


def test_serve_forwards_when_told_to(tmp_path: Path, port: int) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    upstream = free_port()
    with (
        started("-conf", "stdin", cwd=tmp_path, stdin=whoami(upstream)) as other,
        started(
            "serve",
            "web.yaml",
            "--port",
            str(port),
            "--forward",
            f"127.0.0.1:{upstream}",
            cwd=tmp_path,
            until="Stop",
        ) as server,
    ):
        assert answers(port, name="web.default.svc.cluster.local")
        assert answers(port, name="example.org")
        assert not answers(port, name="none.default.svc.cluster.local")
        assert server.stop() == 0
        assert other.stop() == 0


WRONG_MANIFESTS = (
    ("kind: Service\napiVersion: v1\nmetadata: {name: [}\n", r"bad\.yaml:3"),
    (SERVICE.replace("10.9.0.80", "10.9.0.800"), r"bad\.yaml:\d+.*Service.*web.*10\.9\.0\.800"),
    (SERVICE.replace("{name: web}", "{}"), r"bad\.yaml:\d+"),
)


@pytest.mark.parametrize(("text", "told"), WRONG_MANIFESTS, ids=["no YAML", "no address", "no name"])
def test_wrong_manifest_is_told_by_check(text: str, told: str, tmp_path: Path, call: Finish) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    done = call("check", "-conf", "stdin", text=". {\nkubernetes cluster.local {\nmanifests bad.yaml\n}\n}\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(told, done.stderr), done.stderr


def test_wrong_manifest_ends_serve(tmp_path: Path, port: int) -> None:
    text, told = WRONG_MANIFESTS[1]
    (tmp_path / "bad.yaml").write_text(text)
    done = finish("serve", "bad.yaml", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(told, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["serve", "none"], 1, r"none: no such file or folder"),
        (["serve", str(DEMO), "--address", "nonsense"], 1, "nonsense"),
        (["serve", str(DEMO), "--port", "70000"], 1, "70000"),
        (["serve", str(DEMO), "--zone", "a..b"], 1, r"a\.\.b"),
        (["serve", str(DEMO), "--port", "x"], 2, "--port"),
        (["serve", str(DEMO), "--colour"], 2, "--colour"),
        (["check", "extra"], 2, "extra"),
    ],
)
def test_wrong_use_of_commands(words: list[str], code: int, told: str, tmp_path: Path, call: Finish) -> None:
    # argparse ends before anything is set up; what comes later needs a process of its own.
    done = call(*words) if code == 2 else finish(*words, cwd=tmp_path)
    assert done.returncode == code
    assert re.search(told, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


# check.


def test_check_says_what_would_be_served(call: Finish) -> None:
    text = (
        f"cluster.local:5300 10.8.0.0/16:5300 {{\nbind 127.0.0.1 ::1\nerrors\nkubernetes {{\nmanifests {DEMO}\n}}\n}}\n"
        "other.test:5301 {\nkubernetes {\nendpoint https://192.0.2.1:6443\n}\n}\n"
        "third.test:5302 {\nkubernetes {\nkubeconfig /none/config staging\n}\n}\n"
    )
    done = call("check", "-conf", "stdin", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "cluster.local.:5300 on 127.0.0.1, ::1"
    assert "    zones cluster.local. 8.10.in-addr.arpa." in lines
    assert any(
        line.startswith(f"    objects from manifests {DEMO}: ") and "8 services" in line for line in lines
    )
    assert "    objects from API server https://192.0.2.1:6443" in lines
    assert "    objects from the API server of kubeconfig /none/config, context staging" in lines
    assert {"other.test.:5301", "third.test.:5302", "  bind 127.0.0.1 ::1", "  errors"} <= set(lines)
    assert "  kubernetes { endpoint https://192.0.2.1:6443 }" in lines


def test_check_opens_no_port(call: Finish) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        text = whoami(other.getsockname()[1])
        done = call("check", "-conf", "stdin", text=text)
    assert (done.returncode, done.stderr) == (0, "")
