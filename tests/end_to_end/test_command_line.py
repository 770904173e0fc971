"""The command line: CoreDNS's flags, Corefiles, the banner, `-pidfile` (coredns-compat.md, sections 5.3 and 5.4).

What serves runs as a process. What only says something runs in the test's own, which is quicker; once each as a
process shows that there is no difference.
"""

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dnsserver import __version__
from dnsserver.plugins.table import SETUPS
from tests.end_to_end.commands import SERVICE, Done, Finish, answers, finish, running, started, whoami
from tests.support.process import (
    ServerProcess,
    command_line,
    environment,
    free_port,
    wait_until,
)
from tests.support.tools import run, tool

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
    (
        ". {\n route53\n}\n",
        "no action found for directive 'route53' with server type 'dns' (missing a plugin?)",
    ),
    ("grpc://. {\n whoami\n}\n", "Corefile:1 - Error during parsing: scheme 'grpc://'"),
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


def test_standard_input_imports_from_the_working_directory(call: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "foo.conf").write_text("whoami\n")
    done = call("check", "-conf", "stdin", text=".:5300 {\nimport foo.conf\n}\n")
    assert done == Done(0, ".:5300\n  whoami\n", "")
