"""`dnsserver names`: tables, JSON and master files of what would be served."""

import json
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import dns.zone
import pytest

from tests.end_to_end.commands import DEMO, SERVICE, Finish, started
from tests.support.process import free_port

KEYS = {"name", "type", "ttl", "values", "zone", "server", "plugin", "objects", "place"}
#: A name of hosts in the cluster's zone, and one more zone.
SHADOWING = """\
.:5300 {
  bind 127.0.0.1
  hosts none.txt {
    192.0.2.9 web.default.svc.cluster.local
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    manifests web.yaml
    fallthrough in-addr.arpa
  }
  file zone example.com
}
"""
DATABASE = {"kind": "Service", "namespace": "default", "name": "database"}


def test_table_names_record_and_origin(tmp_path: Path, call: Finish) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    done = call("names", "web.yaml", "--namespace", "default")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "NAME                                       TTL  TYPE  VALUE                                    ORIGIN",
        *(
            f"{name:<41}  5    {rtype:<4}  {value:<39}  Service default/web web.yaml:1"
            for name, rtype, value in (
                ("web.default.svc.cluster.local.", "A", "10.9.0.80"),
                ("web.default.svc.cluster.local.", "SRV", "0 100 80 web.default.svc.cluster.local."),
                ("_http._tcp.web.default.svc.cluster.local.", "A", "10.9.0.80"),
                (
                    "_http._tcp.web.default.svc.cluster.local.",
                    "SRV",
                    "0 100 80 web.default.svc.cluster.local.",
                ),
                ("80.0.9.10.in-addr.arpa.", "PTR", "web.default.svc.cluster.local."),
            )
        ),
    ]
    assert "pods insecure" in done.stderr


def test_json_has_one_schema(call: Finish) -> None:
    done = call("names", str(DEMO), "--json", "--namespace", "default")
    told = json.loads(done.stdout)
    assert told["schema"] == "dnsserver.names/1"
    assert done.stderr == ""
    assert [sentence for sentence in told["beyond"] if "pods insecure" in sentence]
    assert all(each.keys() == KEYS for each in told["names"])
    (found,) = (
        each
        for each in told["names"]
        if each["name"] == "database.default.svc.cluster.local." and each["type"] == "A"
    )
    line = (DEMO / "others.yaml").read_text().splitlines().index("  name: database")
    assert found["values"] == ["10.8.7.7"]
    assert (found["ttl"], found["zone"], found["plugin"]) == (5, "cluster.local.", "kubernetes")
    assert found["objects"] == [DATABASE]
    path, _, number = found["place"].rpartition(":")
    assert Path(path) == DEMO / "others.yaml"
    assert 0 < line - int(number) < 5


@pytest.mark.parametrize("origin", ["cluster.local", "in-addr.arpa", "ip6.arpa"])
def test_master_file_is_read_by_others(origin: str, call: Finish) -> None:
    told = json.loads(call("names", str(DEMO), "--json", "--origin", origin).stdout)
    expected = {(each["name"], each["type"]): set(each["values"]) for each in told["names"]}
    done = call("names", str(DEMO), "--format", "zone", "--origin", origin)
    zone = dns.zone.from_text(done.stdout, origin, relativize=False)
    found = {
        (name.to_text(), dns.rdatatype.to_text(rdataset.rdtype)): {rdata.to_text() for rdata in rdataset}
        for name, rdataset in zone.iterate_rdatasets()
    }
    for several in (expected, found):  # the serial is that of the second
        several.pop((f"{origin}.", "SOA"))
    assert found == expected


def test_master_file_is_served_by_the_program(tmp_path: Path, call: Finish) -> None:
    port = free_port()
    (tmp_path / "db").write_text(call("names", str(DEMO), "--format", "zone").stdout)
    corefile = f"cluster.local:{port} {{\n  bind 127.0.0.1\n  file {tmp_path / 'db'}\n}}\n"
    query = dns.message.make_query("_https._tcp.kubernetes.default.svc.cluster.local", "SRV")
    with started("-conf", "stdin", cwd=tmp_path, stdin=corefile) as server:
        reply = dns.query.udp(query, "127.0.0.1", timeout=2, port=port)
        assert reply.answer[0][0].to_text() == "0 100 443 kubernetes.default.svc.cluster.local."
        assert server.stop() == 0


def test_master_file_of_a_zone_file(tmp_path: Path, call: Finish) -> None:
    """Its apex is there whatever is chosen: without SOA it would be no zone."""
    text = "$ORIGIN example.org.\n@ 300 IN SOA ns hostmaster 7 3600 600 86400 60\n@ 300 IN NS ns\n"
    (tmp_path / "zone").write_text(f"{text}ns 300 IN A 192.0.2.53\nwww 300 IN AAAA 2001:db8::1\n")
    (tmp_path / "Corefile").write_text("example.org:5300 {\n  bind 127.0.0.1\n  file zone\n}\n")
    words = ("names", "-conf", "Corefile", "--format", "zone", "--type", "A")
    found = dns.zone.from_text(call(*words).stdout, "example.org", relativize=False)
    assert sorted(
        (str(name), dns.rdatatype.to_text(each.rdtype)) for name, each in found.iterate_rdatasets()
    ) == [
        ("example.org.", "NS"),
        ("example.org.", "SOA"),
        ("ns.example.org.", "A"),
    ]


def test_master_file_has_what_other_plugins_answer_in_the_zone(tmp_path: Path, call: Finish) -> None:
    """The cluster's zone is the one meant, and a name of `hosts` in it takes the place of the Service's."""
    (tmp_path / "web.yaml").write_text(SERVICE)
    (tmp_path / "zone").write_text(
        "$ORIGIN example.com.\n@ 300 IN SOA ns hostmaster 7 3600 600 86400 60\n@ 300 IN NS ns\n"
    )
    (tmp_path / "Corefile").write_text(SHADOWING)
    for origin, name, value in (
        ("cluster.local", "web.default.svc.cluster.local.", "192.0.2.9"),
        ("in-addr.arpa", "9.2.0.192.in-addr.arpa.", "web.default.svc.cluster.local."),
    ):
        words = () if origin == "cluster.local" else ("--origin", origin)
        found = dns.zone.from_text(
            call("names", "-conf", "Corefile", "--format", "zone", *words).stdout, origin, relativize=False
        )
        rdatasets = list(found.find_node(name))
        assert [each.to_text().split()[-1] for each in rdatasets] == [value]


def test_corefile_with_external_names_and_verified_pods(tmp_path: Path, call: Finish) -> None:
    (tmp_path / "web.yaml").write_text(
        SERVICE.replace("clusterIP: 10.9.0.80", "clusterIP: 10.9.0.80, externalIPs: [192.0.2.80]")
        + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: one}\nstatus: {podIP: 10.244.0.9}\n"
    )
    (tmp_path / "Corefile").write_text(
        "example.org cluster.local {\n  kubernetes cluster.local {\n    manifests web.yaml\n"
        "    pods verified\n  }\n  k8s_external example.org\n}\n"
    )
    done = call("names", "-conf", "Corefile", "--type", "a", "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)["names"] if each["objects"]}
    assert found["web.default.example.org."]["plugin"] == "k8s_external"
    assert found["web.default.example.org."]["place"].endswith("web.yaml:1")
    assert found["web.default.svc.cluster.local."]["values"] == ["10.9.0.80"]
    pod = found["10-244-0-9.default.pod.cluster.local."]
    assert pod["objects"] == [{"kind": "Pod", "namespace": "default", "name": "one"}]


def test_a_block_below_another_has_its_names(tmp_path: Path, call: Finish) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    (tmp_path / "Corefile").write_text(
        ".:5300 {\n  kubernetes cluster.local {\n    manifests web.yaml\n  }\n}\n"
        "default.svc.cluster.local:5300 {\n  whoami\n}\n"
    )
    done = call("names", "-conf", "Corefile", "--json")
    assert [each["name"] for each in json.loads(done.stdout)["names"] if each["objects"]] == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["none.yaml"], 1, "none.yaml: no such file or folder"),
        (["-conf", "none"], 1, "none"),
        ([".", "-conf", "Corefile"], 2, "exclude each other"),
        ([str(DEMO), "--format", "zone", "--origin", "example.org"], 2, "there is no zone example.org."),
        ([str(DEMO), "--origin", "a..b"], 2, "empty label"),
        ([str(DEMO), "--format", "yaml"], 2, "--format"),
    ],
    ids=["no manifest", "no Corefile", "both", "no such zone", "no zone name", "no such format"],
)
def test_wrong_use(words: list[str], code: int, told: str, call: Finish) -> None:
    done = call("names", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
