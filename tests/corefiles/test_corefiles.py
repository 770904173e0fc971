"""The Corefiles of the distributions load unchanged, and `dnsserver check` says what comes of them (README.md here)."""

import os
import re
from pathlib import Path

import pytest

from dnsserver.cli import main
from tests.corefiles.machine import ENVIRONMENT, FOLDERS, HERE, place_files
from tests.support.kube_api.pki import Pki


def checked(
    folder: str, root: Path, pki: Pki, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Exit code of `dnsserver check` for the Corefile in *folder*, and what it says, without the machine's place."""
    work = place_files(root, folder, pki)
    for path in [work / "Corefile", *root.rglob("*.override"), *root.rglob("*.server")]:
        path.write_text(re.sub(r"(?<= )/(etc|rootfs)/", rf"{root}/\1/", path.read_text()))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(work)
    code = main(["check", "-conf", "Corefile"])
    said = capsys.readouterr()
    text = (said.out + said.err).replace(str(root), "")
    # Where a Corefile names no file, plugin hosts reads that of the machine on which the tests run.
    return code, re.sub(r"\b\d+ entries of /etc/hosts", "N entries of /etc/hosts", text)


@pytest.mark.parametrize("folder", FOLDERS)
def test_check_says_which_zone_goes_where(
    folder: str,
    tmp_path: Path,
    pki: Pki,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, said = checked(folder, tmp_path, pki, capsys, monkeypatch)
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
