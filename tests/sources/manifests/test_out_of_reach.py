"""Given paths that go, and folders that cannot be read: what they held is served until they are there again."""

import asyncio
import errno
import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError
from tests.sources.manifests.helpers import running, source_of, until, write
from tests.sources.manifests.test_following import has_ip, ip_of, one


async def test_the_whole_folder_goes_and_comes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its last good state is served meanwhile: removing and writing anew must not empty the zone."""
    write(tmp_path, {"x/m/a.yaml": one("10.1.0.1")})
    source, state = source_of(tmp_path / "x/m")
    async with running(source):
        for place in range(2, 5):
            shutil.rmtree(tmp_path / "x")
            if place == 3:
                await until(
                    lambda: source.broken == {tmp_path / "x/m": f"{tmp_path}/x/m: no such file or folder"}
                )
                await asyncio.sleep(0.5)
                assert ip_of(state) == "10.1.1.2"
                assert state.synced
                assert caplog.text.count("/x/m: no such file or folder; the last good state") == 1
            write(tmp_path, {"x/m/a.yaml": one(f"10.1.0.{place}")})
            await until(partial(has_ip, state, f"10.1.0.{place}"))
            write(tmp_path, {"x/m/a.yaml": one(f"10.1.1.{place}")})
            await until(partial(has_ip, state, f"10.1.1.{place}"))
            assert not source.broken


async def test_a_folder_that_is_moved_away_and_back(tmp_path: Path) -> None:
    """Nothing was written, so nothing is read again; what was deleted meanwhile goes when the folder is back."""
    write(
        tmp_path,
        {"m/a.yaml": one("10.1.0.1"), "m/b.yaml": one("10.1.0.2", "b"), "n/c.yaml": one("10.1.0.3", "c")},
    )
    source, state = source_of(tmp_path / "m", tmp_path / "n")
    async with running(source):
        (tmp_path / "m").rename(tmp_path / "away")
        await until(lambda: list(source.broken) == [tmp_path / "m"])
        write(tmp_path, {"n/c.yaml": one("10.1.0.4", "c")})
        await until(lambda: ip_of(state, "c") == "10.1.0.4")
        assert (ip_of(state), ip_of(state, "b")) == ("10.1.0.1", "10.1.0.2")
        (tmp_path / "away/b.yaml").unlink()
        (tmp_path / "away").rename(tmp_path / "m")
        await until(lambda: ip_of(state, "b") == "")
        assert ip_of(state) == "10.1.0.1"
        assert (source.broken, source.errors_total) == ({}, 1)


async def test_a_folder_that_cannot_be_read_keeps_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network file system that lost its server; the tests may run as root, who may read everything."""
    write(tmp_path, {"m/a.yaml": one("10.1.0.1")})
    source, state = source_of(tmp_path)
    scandir = os.scandir

    def lost(path: Path) -> object:
        if path == tmp_path / "m":
            raise OSError(errno.ESTALE, "Stale file handle")
        return scandir(path)

    async with running(source):
        monkeypatch.setattr(os, "scandir", lost)
        write(tmp_path, {"b.yaml": one("10.1.0.2", "b")})
        await until(lambda: ip_of(state, "b") == "10.1.0.2")
        assert ip_of(state) == "10.1.0.1"
        assert "Stale file handle" in source.broken[tmp_path / "m"]
        monkeypatch.setattr(os, "scandir", scandir)
        (tmp_path / "m/a.yaml").unlink()
        await until(lambda: ip_of(state) == "")
        assert not source.broken


async def test_a_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start that is an error in words; later it does not matter."""
    folder = tmp_path / "here"
    write(folder, {"m/a.yaml": one("10.1.0.1")})
    monkeypatch.chdir(folder)
    source, state = source_of(Path("m"))
    async with running(source):
        folder.rename(tmp_path / "there")
        (tmp_path / "there/m").rename(tmp_path / "m")
        (tmp_path / "there").rmdir()
        await until(lambda: list(source.broken) == [folder / "m"])
        assert ip_of(state) == "10.1.0.1"
        late, _ = source_of(Path("m"))
        with pytest.raises(ManifestError, match=r"^m: the working directory cannot be found \(No such file"):
            await late.load()
