"""`dnsserver diff`: what changes for clients between manifests, and between Corefiles."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.commands import SERVICE, Finish

OTHER = SERVICE.replace("name: web", "name: api").replace("10.9.0.80", "10.9.0.81")
COREFILE = """\
.:5300 {
  kubernetes cluster.local {
    manifests web.yaml
  }
  cache 30
}
"""


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "web.yaml").write_text(SERVICE)
    return tmp_path


def test_the_same_is_nothing(folders: Path, call: Finish) -> None:
    """A comment, another order and another file are no difference to clients."""
    (folders / "new/web.yaml").write_text("# a comment\n" + SERVICE)
    done = call("diff", "old", "new")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_that_come_go_and_change(folders: Path, call: Finish) -> None:
    (folders / "old/gone.yaml").write_text(OTHER)
    (folders / "new/web.yaml").write_text(SERVICE.replace("10.9.0.80", "10.9.0.82"))
    done = call("diff", "old", "new")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:5] == [
        "--- old",
        "+++ new",
        "-api.default.svc.cluster.local. 5 A 10.9.0.81  (Service default/api old/gone.yaml:1)",
        "-api.default.svc.cluster.local. 5 SRV 0 100 80 api.default.svc.cluster.local."
        "  (Service default/api old/gone.yaml:1)",
        "-_http._tcp.api.default.svc.cluster.local. 5 A 10.9.0.81  (Service default/api old/gone.yaml:1)",
    ]
    assert done.stdout.splitlines()[6:8] == [
        "-web.default.svc.cluster.local. 5 A 10.9.0.80  (Service default/web old/web.yaml:1)",
        "+web.default.svc.cluster.local. 5 A 10.9.0.82  (Service default/web new/web.yaml:1)",
    ]
    assert done.stdout.count("\x1b") == 0


def test_json(folders: Path, call: Finish) -> None:
    (folders / "new/api.yaml").write_text(OTHER)
    done = call("diff", "old", "new", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["schema"], told["servers"], told["not_compared"]) == (
        1,
        "dnsserver.diff/1",
        [],
        [],
    )
    assert {(each["new"]["name"], each["new"]["type"]) for each in told["names"]} == {
        ("api.default.svc.cluster.local.", "A"),
        ("api.default.svc.cluster.local.", "SRV"),
        ("_http._tcp.api.default.svc.cluster.local.", "A"),
        ("_http._tcp.api.default.svc.cluster.local.", "SRV"),
        ("81.0.9.10.in-addr.arpa.", "PTR"),
    }
    assert all(each["old"] is None for each in told["names"])


def test_colours(folders: Path, call: Finish) -> None:
    (folders / "new/api.yaml").write_text(OTHER)
    lines = call("diff", "old", "new", "--color", "always").stdout.splitlines()
    assert lines[0] == "\x1b[1m--- old\x1b[0m"
    assert all(line.startswith("\x1b[32m+") for line in lines[2:])


def test_corefiles(tmp_path: Path, call: Finish) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    (tmp_path / "old").write_text(COREFILE)
    more = "example.org:5300 {\n  whoami\n}\n"
    (tmp_path / "new").write_text(
        COREFILE.replace("cache 30", "cache 60\n  log").replace("}\n", "ttl 7\n}\n", 1) + more
    )
    done = call("diff", "-conf", "old", "new")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[:10] == [
        "--- old",
        "+++ new",
        " .:5300",
        "+  log",
        "-  cache 30",
        "+  cache 60",
        "-  kubernetes cluster.local { manifests web.yaml }",
        "+  kubernetes cluster.local { manifests web.yaml; ttl 7 }",
        "+example.org.:5300",
        "+  whoami",
    ]
    assert "-web.default.svc.cluster.local. 5 A 10.9.0.80  (Service default/web web.yaml:1)" in lines
    assert "+web.default.svc.cluster.local. 7 A 10.9.0.80  (Service default/web web.yaml:1)" in lines


def test_corefiles_with_hosts_and_zone_files(
    tmp_path: Path, call: Finish, caplog: pytest.LogCaptureFixture
) -> None:
    """Names of files are compared too: the Corefile need not say anything else."""
    hosts = ".:5300 {\n  hosts none.txt example.net {\n    192.0.2.1 one.example.net\n    no_reverse\n  }\n"
    zone = "$ORIGIN example.org.\n@ 300 IN SOA ns hostmaster 7 3600 600 86400 60\n@ 300 IN NS ns\n"
    for name, address in (("old", "192.0.2.53"), ("new", "192.0.2.54")):
        (tmp_path / name).write_text(f"{hosts}  file {name}.zone example.org\n}}\n")
        (tmp_path / f"{name}.zone").write_text(f"{zone}ns 300 IN A {address}\nsub 300 IN NS {name}\n")
    (tmp_path / "new").write_text((tmp_path / "new").read_text().replace("192.0.2.1", "192.0.2.2"))
    done = call("diff", "-conf", "old", "new")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-6:] == [
        "-one.example.net. 3600 A 192.0.2.1  (hosts old:2)",
        "+one.example.net. 3600 A 192.0.2.2  (hosts new:2)",
        "-ns.example.org. 300 A 192.0.2.53  (file old.zone)",
        "+ns.example.org. 300 A 192.0.2.54  (file new.zone)",
        "-sub.example.org. 300 NS old.example.org.  (file old.zone)",
        "+sub.example.org. 300 NS new.example.org.  (file new.zone)",
    ]
    assert "none.txt is not read" in caplog.text


def test_names_of_a_cluster_that_is_elsewhere_are_not_compared(tmp_path: Path, call: Finish) -> None:
    text = ".:5300 {\n  kubernetes cluster.local {\n    endpoint http://127.0.0.1:1\n  }\n}\n"
    for name in ("old", "new"):
        (tmp_path / name).write_text(text)
    done = call("diff", "-conf", "old", "new")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Note: .:5300: its objects are in a cluster, so its names are not compared.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["old", "none"], "none: no such file or folder"),
        (["-", "-"], "standard input"),
        (["old"], "NEW"),
        (["-conf", "old/web.yaml", "none"], "old/web.yaml"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("folders")
def test_what_cannot_be_compared(words: list[str], told: str, call: Finish) -> None:
    done = call("diff", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
