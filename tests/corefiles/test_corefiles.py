"""The Corefiles of the distributions load unchanged, and `dnsserver check` says what comes of them (README.md here)."""

import os
import re
import shutil
from pathlib import Path

import pytest

from dnsserver.cli import main
from tests.support.kube_api.pki import make_pki

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent.name for path in HERE.glob("*/Corefile"))
#: Files that the machines have.
MACHINE = {
    "etc/resolv.conf": "search example.net\nnameserver 192.0.2.2\nnameserver 192.0.2.3\noptions ndots:5\n",
    "etc/hosts": "127.0.0.1 localhost\n192.0.2.9 machine.example\n",
    "etc/coredns/NodeHosts": "192.0.2.1 node-1\n192.0.2.2 node-2\n",
    "etc/coredns/hosts": "192.0.2.10 api.cluster.local\n",
    "rootfs/etc/hosts": "192.0.2.11 api.internal.k8s.local\n",
}


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_pki(tmp_path_factory.mktemp("pki")).ca.cert.read_text()


@pytest.fixture
def machine(tmp_path: Path, ca: str) -> Path:
    """A folder that stands for the root of a machine."""
    for name, text in {**MACHINE, "etc/coredns/ca.pem": ca}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def checked(
    folder: str, machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Exit code of `dnsserver check` for the Corefile in *folder*, and what it says, without the machine's place."""
    work = machine / "work"
    shutil.copytree(HERE / folder, work)
    if (work / "etc").exists():
        shutil.copytree(work / "etc", machine / "etc", dirs_exist_ok=True)
    for path in [work / "Corefile", *machine.rglob("*.override"), *machine.rglob("*.server")]:
        path.write_text(re.sub(r"(?<= )/(etc|rootfs)/", rf"{machine}/\1/", path.read_text()))
    monkeypatch.setenv("MY_HOST_IP", "192.0.2.1")
    monkeypatch.chdir(work)
    code = main(["check", "-conf", "Corefile"])
    said = capsys.readouterr()
    text = (said.out + said.err).replace(str(machine), "")
    # Where a Corefile names no file, plugin hosts reads that of the machine on which the tests run.
    return code, re.sub(r"\b\d+ entries of /etc/hosts", "N entries of /etc/hosts", text)


@pytest.mark.parametrize("folder", FOLDERS)
def test_check_says_which_zone_goes_where(
    folder: str, machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = checked(folder, machine, capsys, monkeypatch)
    refused, expected = HERE / folder / "refused", HERE / folder / "expected"
    if refused.exists():
        assert (code, said) == (1, refused.read_text())
        return
    assert code == 0, said
    if os.environ.get("WRITE_EXPECTED"):
        expected.write_text(said)
    assert said == expected.read_text()


def test_every_folder_is_described() -> None:
    page = (HERE / "README.md").read_text()
    assert set(re.findall(r"`([a-z0-9_]+)`", page)) - {"expected", "refused"} >= set(FOLDERS)
