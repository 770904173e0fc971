"""The command line: CoreDNS's flags, `serve`, `check`, and signals (coredns-compat.md, sections 5.2 to 5.4).

What serves runs as a process. What only says something runs in the test's own, which is quicker; once each as a
process shows that there is no difference.
"""

import contextlib
import io
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from dnsserver import __version__, cli
from dnsserver.plugins.table import SETUPS
from tests.support.process import (
    PATIENCE_S,
    REPOSITORY,
    ServerProcess,
    command_line,
    environment,
    free_port,
    wait_until,
)
from tests.support.tools import run, tool

DEMO = REPOSITORY / "zones" / "demo"

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.9.0.80, ports: [{name: http, port: 80}]}
"""


def whoami(port: int, *lines: str, host: str = "127.0.0.1") -> str:
    """A Corefile that starts anywhere and answers everything."""
    return "\n".join((f".:{port} {{", f"bind {host}", "whoami", *lines, "}", ""))


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended by itself."""

    returncode: int
    stdout: str
    stderr: str


Finish = Callable[..., Done]


def finish(*arguments: str | Path, cwd: Path, text: str = "") -> Done:
    """Run a command that ends by itself as a process."""
    done = run(command_line(arguments), cwd=cwd, env=environment(), text=text)
    return Done(done.returncode, done.stdout, done.stderr)


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


def answers(port: int, host: str = "127.0.0.1", name: str = "example.org") -> bool:
    """Whether a question by UDP gets an answer."""
    query = dns.message.make_query(name, "A")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((host, port))  # so that a closed port is an error, not silence
        try:
            sock.send(query.to_wire())
            reply = dns.message.from_wire(sock.recv(65_535))
        except OSError:
            return False
    return reply.id == query.id and reply.rcode() == dns.rcode.NOERROR


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body; 0 when nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.fixture
def port() -> int:
    return free_port()


@contextlib.contextmanager
def started(
    *arguments: str | Path, cwd: Path, stdin: str = "", until: str = "dnsserver-"
) -> Iterator[ServerProcess]:
    with ServerProcess(*arguments, cwd=cwd, stdin=stdin) as server:
        server.wait_for(until)
        yield server


@contextlib.contextmanager
def running(folder: Path, text: str, *flags: str) -> Iterator[ServerProcess]:
    """A server with *text* as its Corefile."""
    (folder / "Corefile").write_text(text)
    with started(*flags, cwd=folder) as server:
        yield server


# Flags that say something and end.


@pytest.mark.parametrize("flag", ["-version", "--version"])
def test_version(flag: str, call: Finish, tmp_path: Path) -> None:
    done = call(flag)
    assert done == finish(flag, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == f"dnsserver-{__version__}"
    assert re.fullmatch(r"linux/\w+, python3\.\d+\.\d+\S*", second)


@pytest.mark.parametrize("flag", ["-plugins", "--plugins"])
def test_plugins(flag: str, call: Finish) -> None:
    done = call(flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == sorted(f"dns.{name}" for name in SETUPS)


@pytest.mark.parametrize("words", [["-nonsense"], ["--nonsense"], ["-cpu", "2"], ["-p", "x"], ["-conf"]])
def test_wrong_flag_is_exit_2_with_usage(words: list[str], call: Finish) -> None:
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: dnsserver ")
    assert words[0].lstrip("-") in done.stderr


def test_extra_argument_is_exit_1(call: Finish) -> None:
    done = call("-version", "extra")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("extra command line arguments: ")
    assert "extra" in done.stderr.partition(":")[2]


@pytest.mark.parametrize("command", [[], ["serve"], ["check"]])
def test_help(command: list[str], call: Finish) -> None:
    done = call(*command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" ".join(["usage: dnsserver", *command]))


def test_no_argument_and_no_corefile_shows_the_demo(call: Finish) -> None:
    done = call()
    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        "make demo",
        "dnsserver serve",
        "dig @127.0.0.1 -p 1053 nginx.default.svc.cluster.local",
        "-conf",
    ):
        assert part in done.stdout


def test_start_without_a_cluster_does_not_import_its_client(tmp_path: Path) -> None:
    """It takes longer than everything else that a start does."""
    code = "import dnsserver.cli, sys; print(*sorted({'kubernetes', 'aiohttp'} & set(sys.modules)))"
    done = run((*command_line(())[:1], "-c", code), cwd=tmp_path, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


# -conf and ports.


@pytest.mark.parametrize("flags", [[], ["-conf=Other"], ["-conf", "stdin"]], ids=" ".join)
def test_conf(flags: list[str], tmp_path: Path, port: int) -> None:
    stdin = ""
    if "stdin" in flags:
        stdin = whoami(port)
    else:
        (tmp_path / ("Other" if flags else "Corefile")).write_text(whoami(port))
    with started(*flags, cwd=tmp_path, stdin=stdin) as server:
        assert answers(port)
        assert server.stop() == 0
        assert server.stderr == ""


@pytest.mark.parametrize("form", ["-conf {}", "-conf={}", "--conf {}", "--conf={}"])
@pytest.mark.parametrize("file", ["Other", "stdin"])
def test_every_form_of_conf(form: str, file: str, tmp_path: Path, call: Finish) -> None:
    text = "one.test:5300 {\nwhoami\n}\n"
    (tmp_path / "Other").write_text(text)
    assert call("check", *form.format(file).split(), text=text).stdout == "one.test.:5300\n  whoami\n"


def test_port_flag_is_for_keys_without_port(tmp_path: Path, port: int) -> None:
    named = free_port()
    text = f"one.test two.test:{named} {{\nbind 127.0.0.1\nwhoami\n}}\n"
    with running(tmp_path, text, "-dns.port", str(port)) as server:
        assert answers(port, name="one.test")
        assert answers(named, name="two.test")
        assert not answers(port, name="two.test"), "the flag went before the key's own port"
        assert server.stop() == 0


@pytest.mark.parametrize(
    "form", ["-dns.port {}", "-dns.port={}", "--dns.port {}", "--dns.port={}", "-p {}", "-p={}"]
)
def test_every_form_of_the_port_flag(form: str, call: Finish) -> None:
    text = "one.test two.test:5300 {\nwhoami\n}\n"
    done = call("check", "-conf", "stdin", *form.format(5301).split(), text=text)
    assert done.stdout == "one.test.:5301\ntwo.test.:5300\n  whoami\n"


def test_paths_count_from_the_folder_of_the_corefile(tmp_path: Path, port: int) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "web.yaml").write_text(SERVICE)
    block = "kubernetes cluster.local {\nmanifests web.yaml\n}"
    (folder / "Corefile").write_text(f".:{port} {{\nbind 127.0.0.1\nimport rest\n}}\n")
    (folder / "rest").write_text(block)
    with started("-conf", "etc/Corefile", cwd=tmp_path) as server:
        assert answers(port, name="web.default.svc.cluster.local")
        assert server.stop() == 0


@pytest.mark.parametrize("command", [[], ["check"]], ids=["run", "check"])
def test_missing_file_is_named(command: list[str], tmp_path: Path, call: Finish) -> None:
    done = (
        call(*command, "-conf", "none/Corefile")
        if command
        else finish("-conf", "none/Corefile", cwd=tmp_path)
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "none/Corefile" in done.stderr
    assert "no such file or directory" in done.stderr.lower()


BROKEN = (
    ("example.org {\n whoamy\n}\n", "Corefile:2 - Error during parsing: Unknown directive 'whoamy'"),
    ("example.org {\n whoami\n", "Corefile:2 - Syntax error: Unexpected token 'whoami', expecting '}'"),
    (".:99999 {\n whoami\n}\n", "Corefile:1"),
    (
        ". {\n kubernetes cluster.local {\n  ttl ten\n }\n}\n",
        'plugin/kubernetes: strconv.Atoi: parsing "ten": invalid syntax (Corefile:3)',
    ),
    (
        ". {\n kubernetes cluster.local {\n  colour red\n }\n}\n",
        "Corefile:3 - Error during parsing: unknown property",
    ),
    (". {\n hosts\n}\n", "no action found for directive 'hosts' with server type 'dns' (missing a plugin?)"),
    ("tls://. {\n whoami\n}\n", "Corefile:1 - Error during parsing: scheme 'tls://'"),
    (". {\n whoami\n}\n. {\n whoami\n}\n", "cannot serve dns://.:53 - it is already defined"),
    (". {\n whoami\n}\n. {\n bind 127.0.0.1\n whoami\n}\n", "zone overlap listener capacity with"),
)


def says_where(done: Done, told: str) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert re.search(r"Corefile:\d", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_broken_corefile_is_exit_1_with_file_and_line(
    text: str, told: str, tmp_path: Path, call: Finish
) -> None:
    (tmp_path / "Corefile").write_text(text)
    says_where(call("check"), told)


@pytest.mark.parametrize("flags", [[], ["-conf", "Corefile"]], ids=["default", "flag"])
@pytest.mark.parametrize(
    ("text", "told"), [BROKEN[0], BROKEN[3], BROKEN[7]], ids=["parser", "plugin", "overlap"]
)
def test_broken_corefile_ends_the_start(flags: list[str], text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(text)
    says_where(finish(*flags, cwd=tmp_path), told)


def test_glob_without_hits_is_a_warning(tmp_path: Path, port: int) -> None:
    with running(tmp_path, "import *.server\n" + whoami(port)) as server:
        assert "[WARNING] No files matching import glob pattern: " in server.stdout
        assert server.stop() == 0


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_port_in_use(kind: socket.SocketKind, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        done = finish("-conf", "stdin", cwd=tmp_path, text=whoami(port))
    protocol = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    assert done.returncode == 1
    assert f"listen {protocol} 127.0.0.1:{port}: bind: address already in use" in done.stderr
    assert f"dnsserver-{__version__}" not in done.stdout, "a banner without a start"
    assert "Traceback" not in done.stderr


def test_port_of_a_probe_in_use(tmp_path: Path, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        done = finish("-conf", "stdin", cwd=tmp_path, text=whoami(port, f"health 127.0.0.1:{taken}"))
    assert done.returncode == 1
    assert f"127.0.0.1:{taken}: bind: address already in use" in done.stderr
    assert "Traceback" not in done.stderr


# Banner.


def test_zone_lines_are_sorted_and_tell_ports(tmp_path: Path, port: int) -> None:
    other = free_port()
    text = f"org.test:{port} A.test:{port} {{\nwhoami\n}}\n10.0.0.0/23:{other} {{\nwhoami\n}}\n"
    with running(tmp_path, text) as server:
        *zones, name, platform = server.stdout.splitlines()
        assert zones == sorted(
            [
                f"0.0.10.in-addr.arpa.:{other}",
                f"1.0.10.in-addr.arpa.:{other}",
                f"a.test.:{port}",
                f"org.test.:{port}",
            ]
        )
        assert name == f"dnsserver-{__version__}"
        assert platform.startswith("linux/")
        assert server.stop() == 0


def test_zone_lines_tell_bound_addresses(tmp_path: Path, port: int) -> None:
    with running(tmp_path, whoami(port, host="127.0.0.1 ::1")) as server:
        assert server.stdout.splitlines()[:2] == [f".:{port} on 127.0.0.1", f".:{port} on ::1"]
        assert server.stop() == 0


def test_quiet_prints_no_banner(tmp_path: Path, port: int) -> None:
    (tmp_path / "Corefile").write_text(whoami(port, "log"))
    with ServerProcess("-quiet", cwd=tmp_path) as server:
        wait_until(lambda: answers(port), server.told)
        wait_until(lambda: server.stdout.startswith("[INFO] 127.0.0.1:"), server.told)
        assert f".:{port}" not in server.stdout
        assert "dnsserver-" not in server.stdout
        assert server.stop() == 0


@pytest.mark.tool("bash")
@pytest.mark.parametrize(
    ("command", "output"), [("run", ">/dev/full"), ("serve", "> >(exit)")], ids=["run, full", "serve, closed"]
)
def test_output_that_nobody_takes_does_not_end_the_server(
    command: str, output: str, tmp_path: Path, port: int
) -> None:
    """As for the lines of the log: what cannot be printed is lost, and DNS goes on."""
    (tmp_path / "Corefile").write_text(whoami(port, "log"))
    (tmp_path / "web.yaml").write_text(SERVICE)
    words = ["serve", "web.yaml", "--port", str(port)] if command == "serve" else []
    prefix = (tool("bash"), "-c", f'exec "$0" "$@" {output}')
    with ServerProcess(*words, cwd=tmp_path, prefix=prefix) as server:
        wait_until(
            lambda: answers(port, name="web.default.svc.cluster.local") or server.process.poll() is not None,
            server.told,
        )
        for _ in range(3):
            assert answers(port, name="web.default.svc.cluster.local"), server.told()
            time.sleep(0.05)
        assert server.stop() == 0, server.told()
        assert server.stderr == ""


# -pidfile.


def test_pid_file_is_there_while_the_server_runs(tmp_path: Path, port: int) -> None:
    path = tmp_path / "run.pid"
    with running(tmp_path, whoami(port), "-pidfile", str(path)) as server:
        assert path.read_text() == f"{server.process.pid}\n"
        assert server.stop() == 0
    assert not path.exists()


def test_start_that_fails_leaves_the_pid_file_of_another_alone(tmp_path: Path, port: int) -> None:
    path = tmp_path / "run.pid"
    with running(tmp_path, whoami(port), "-pidfile", str(path)) as server:
        done = finish("-pidfile", path, cwd=tmp_path)
        assert done.returncode == 1
        assert path.exists(), "a failed start has removed the pid file of the server that runs"
        assert path.read_text() == f"{server.process.pid}\n"
        assert server.stop() == 0


def test_pid_file_that_cannot_be_written(tmp_path: Path, port: int) -> None:
    (tmp_path / "Corefile").write_text(whoami(port))
    done = finish("-pidfile", "none/run.pid", cwd=tmp_path)
    assert done.returncode == 1
    assert "none/run.pid: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


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
    assert {"other.test.:5301", "third.test.:5302", "  bind", "  errors", "  kubernetes"} <= set(lines)


def test_check_opens_no_port(call: Finish) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        text = whoami(other.getsockname()[1])
        done = call("check", "-conf", "stdin", text=text)
    assert (done.returncode, done.stderr) == (0, "")


# Signals.


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGTERM, "[INFO] SIGTERM: Shutting down servers then terminating"),
        (signal.SIGINT, "[INFO] SIGINT: Shutting down"),
        (signal.SIGQUIT, ""),
    ],
    ids=["SIGTERM", "SIGINT", "SIGQUIT"],
)
def test_signal_that_ends(number: signal.Signals, said: str, tmp_path: Path, port: int) -> None:
    with running(tmp_path, whoami(port)) as server:
        assert server.stop(number) == 0
        assert said in server.stdout.splitlines() or not said
        assert server.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1], ids=["SIGHUP", "SIGUSR1"])
def test_signal_that_does_not_end(number: signal.Signals, tmp_path: Path, port: int) -> None:
    with running(tmp_path, whoami(port)) as server:
        server.send(number)
        if number == signal.SIGUSR1:
            server.wait_for("SIGUSR1: ")
        for _ in range(5):
            assert answers(port)
            time.sleep(0.02)
        assert server.process.poll() is None
        assert server.stop() == 0
        assert server.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_lameduck(number: signal.Signals, tmp_path: Path, port: int) -> None:
    """Unready at once, healthy and answering for the time asked for, then a good end."""
    health, ready = free_port(), free_port()
    lines = (f"health 127.0.0.1:{health} {{\nlameduck 800ms\n}}", f"ready 127.0.0.1:{ready}")
    with running(tmp_path, whoami(port, *lines)) as server:
        assert get(health, "/health") == (200, "OK")
        assert get(ready, "/ready") == (200, "OK")
        begun = time.monotonic()
        server.send(number)
        server.wait_for("[INFO] plugin/health: Going into lameduck mode for ")
        assert get(ready, "/ready") == (0, ""), "the listener must be closed"
        while time.monotonic() - begun < 0.6:
            assert answers(port)
            assert get(health, "/health") == (200, "OK")
            time.sleep(0.05)
        assert server.end() == 0
        assert time.monotonic() - begun >= 0.8
        assert not answers(port)
        assert server.stderr == ""


def test_second_interrupt_is_exit_2(tmp_path: Path, port: int) -> None:
    health = free_port()
    with running(tmp_path, whoami(port, f"health 127.0.0.1:{health} {{\nlameduck 1h\n}}")) as server:
        server.send(signal.SIGINT)
        server.wait_for("lameduck")
        assert answers(port)
        assert server.stop(signal.SIGINT) == 2
        assert server.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signal_while_waiting_for_the_api_server(number: signal.Signals, tmp_path: Path, port: int) -> None:
    """An API server that takes connections and says nothing must not keep the process."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        block = f"kubernetes cluster.local {{\nendpoint {url}\nstartup_timeout 1h\n}}"
        (tmp_path / "Corefile").write_text(f".:{port} {{\nbind 127.0.0.1\n{block}\n}}\n")
        with ServerProcess(cwd=tmp_path) as server:
            server.wait_for("[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server")
            begun = time.monotonic()
            assert server.stop(number) == 0
            assert time.monotonic() - begun < 3
            assert "dnsserver-" not in server.stdout, "a banner without a start"
            assert server.stderr == ""


def test_start_does_not_wait_for_ever_for_the_api_server(tmp_path: Path, port: int) -> None:
    ready = free_port()
    nobody = free_port()
    block = f"kubernetes cluster.local {{\nendpoint http://127.0.0.1:{nobody}\nstartup_timeout 100ms\n}}"
    text = f".:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{ready}\n{block}\n}}\n"
    with running(tmp_path, text) as server:
        assert "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API" in server.stdout
        assert get(ready, "/ready") == (503, "kubernetes")
        reply = dns.query.udp(
            dns.message.make_query("web.default.svc.cluster.local", "A"), "127.0.0.1", timeout=2, port=port
        )
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert server.stop() == 0
        assert server.stderr == ""


def test_source_that_cannot_work_ends_the_start(tmp_path: Path, port: int) -> None:
    block = "kubernetes cluster.local {\nkubeconfig none/config\n}"
    (tmp_path / "Corefile").write_text(f".:{port} {{\nbind 127.0.0.1\n{block}\n}}\n")
    done = finish(cwd=tmp_path)
    assert done.returncode == 1
    assert "plugin/kubernetes: kubeconfig " in done.stderr
    assert "none/config: cannot be read: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_imports_from_the_working_directory(call: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "foo.conf").write_text("whoami\n")
    done = call("check", "-conf", "stdin", text=".:5300 {\nimport foo.conf\n}\n")
    assert done == Done(0, ".:5300\n  whoami\n", "")
