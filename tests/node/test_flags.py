"""node-cache's command line."""

import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from dnsserver.commands.node_cache import read_words, run, settings_of
from dnsserver.node import NodeSettings

STOCK = (
    "-localip",
    "169.254.20.10,10.96.0.10",
    "-conf",
    "/etc/Corefile",
    "-upstreamsvc",
    "kube-dns-upstream",
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBE_DNS_UPSTREAM_SERVICE_HOST", "10.96.0.11")


def parsed(*words: str) -> NodeSettings:
    return settings_of(read_words(list(words)))


def test_stock_command_line() -> None:
    settings = parsed(*STOCK)
    assert settings.addresses == (ip_address("169.254.20.10"), ip_address("10.96.0.10"))
    assert settings.corefile == Path("/etc/Corefile")
    assert settings.base_corefile == Path("/etc/coredns/Corefile.base")
    assert (settings.upstream_service, settings.cluster_dns) == ("kube-dns-upstream", "10.96.0.11")
    assert (settings.interface, settings.manages_interface, settings.manages_rules) == (
        "nodelocaldns",
        True,
        True,
    )
    assert (settings.port, settings.health_port, settings.metrics) == (53, 8080, ("0.0.0.0", 9353))
    assert (settings.sync_s, settings.reload_by_signal, settings.keeps) == (60, False, False)
    assert settings.kube_dns is None


@pytest.mark.parametrize("spelling", ["-{}={}", "--{}={}", "-{} {}", "--{} {}"])
def test_flags_as_go_spells_them(spelling: str) -> None:
    words = [
        word
        for name, value in (("localip", "fd00::10"), ("interfacename", "dns0"))
        for word in spelling.format(name, value).split(" ")
    ]
    assert parsed(*words).interface == "dns0"


CHANGED = {
    "-setupinterface=false": ("manages_interface", False),
    "--setupiptables=0": ("manages_rules", False),
    "-skipteardown": ("keeps", True),
    "-skipteardown=F": ("keeps", False),
    "-reloadwithsignal": ("reload_by_signal", True),
    "-syncinterval=5s": ("sync_s", 5),
    "-syncinterval=60ns": ("sync_s", 60),
    "-syncinterval=90": ("sync_s", 90),
    "-health-port=9254": ("health_port", 9254),
    "-dns.port=5353": ("port", 5353),
    "-metrics-listen-address=:9999": ("metrics", ("", 9999)),
    "-metrics-listen-address=[::1]:9999": ("metrics", ("::1", 9999)),
    "-kubednscm=/cm": ("kube_dns", Path("/cm")),
    "-basecorefile=/b": ("base_corefile", Path("/b")),
    "-corefile=/c": ("corefile", Path("/c")),
    "-upstreamsvc=other": ("cluster_dns", ""),
}


@pytest.mark.parametrize(("word", "change"), CHANGED.items(), ids=CHANGED)
def test_flag(word: str, change: tuple[str, object]) -> None:
    assert getattr(parsed(*STOCK, word), change[0]) == change[1]


WRONG = {
    "-localip=": "'' does not appear to be an IPv4 or IPv6 address; write addresses with commas between them",
    "-localip=169.254.20.10,x": "'x' does not appear to be an IPv4 or IPv6 address",
    "-localip=0.0.0.0": "0.0.0.0 is no address that an interface of this node may have",
    "-localip=fe80::1%eth0": "fe80::1%eth0 is no address",
    "-localip=ff02::1": "ff02::1 is no address",
    "-interfacename=a\nb": "is no name for an interface",
    "-dns.port=99999": "-dns.port 99999 is no port",
    "-setupinterface=maybe": "'maybe' is neither true nor false",
    "-syncinterval=0s": "0s is less than a second",
    "-syncinterval=soon": 'time: invalid duration "soon"',
    "-health-port=http": "'http' is no port",
    "-metrics-listen-address=9353": "'9353' has no port",
    "-interfacename=a/b": "'a/b' is no name for an interface",
    "-interfacename=nodelocaldns-of-mine": "is no name for an interface of up to 15",
    "-setupipvs=true": "unrecognized arguments: -setupipvs=true",
    "-workers=-1": "unrecognized arguments",
}


@pytest.mark.parametrize(("word", "said"), WRONG.items(), ids=WRONG)
def test_flag_that_is_wrong(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(*STOCK, word)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_pid_file_that_is_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*STOCK, "-pidfile", f"{tmp_path}"]) == 1
    assert f"Is a directory: '{tmp_path}'" in capsys.readouterr().err


def test_switch_takes_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    """In Go it would end the flags there."""
    with pytest.raises(SystemExit):
        parsed(*STOCK, "-setupinterface", "false")
    assert "switches are written -NAME=true or -NAME=false" in capsys.readouterr().err


def test_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed()
    assert "give -localip the addresses to serve" in capsys.readouterr().err


def test_server_without_node_mode_does_without_its_libraries(tmp_path: Path) -> None:
    code = "import dnsserver.commands.coredns, sys; print(*sorted({'pyroute2', 'dnsserver.node'} & set(sys.modules)))"
    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "\n"
