"""Changes on disk are served within a second, whatever way they are made."""

import asyncio
import gc
import logging
import os
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError, ManifestSettings, watching
from dnsserver.sources.manifests.source import ManifestSource
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed, ObjectKey
from tests.sources.manifests.helpers import (
    joined,
    load,
    running,
    service,
    services,
    source_of,
    until,
    write,
)


def one(ip: str, name: str = "a") -> str:
    return service(name, f"clusterIP: {ip}")


def ip_of(state: ClusterState, name: str = "a") -> str:
    return "".join(services(state).get(f"default/{name}", ()))


def has_ip(state: ClusterState, ip: str) -> bool:
    return ip_of(state) == ip


async def test_edited_replaced_deleted_created(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(one("10.1.0.1"))
    source, state = source_of(tmp_path)
    async with running(source):
        path.write_text(one("10.1.0.2"))
        await until(lambda: ip_of(state) == "10.1.0.2")
        (tmp_path / "tmp").write_text(one("10.1.0.3"))
        (tmp_path / "tmp").rename(path)
        await until(lambda: ip_of(state) == "10.1.0.3")
        path.unlink()
        await until(lambda: ip_of(state) == "")
        path.write_text(one("10.1.0.4"))
        await until(lambda: ip_of(state) == "10.1.0.4")
        path.rename(tmp_path / "off")
        await until(lambda: ip_of(state) == "")
        assert source.errors_total == 0


async def test_a_named_file_is_followed_too(tmp_path: Path) -> None:
    path = tmp_path / "manifests"
    path.write_text(one("10.1.0.1"))
    source, state = source_of(path)
    async with running(source):
        (tmp_path / "tmp").write_text(one("10.1.0.2"))
        (tmp_path / "tmp").rename(path)
        await until(lambda: ip_of(state) == "10.1.0.2")
        path.unlink()
        await until(lambda: path in source.broken)
        assert ip_of(state) == "10.1.0.2"
        path.write_text(one("10.1.0.3"))
        await until(lambda: ip_of(state) == "10.1.0.3")
        path.write_text(one("10.1.0.4"))
        await until(lambda: ip_of(state) == "10.1.0.4")


async def test_new_folders_and_files_in_empty_folders(tmp_path: Path) -> None:
    (tmp_path / "m/empty").mkdir(parents=True)
    source, state = source_of(tmp_path / "m")
    async with running(source):
        write(tmp_path, {"m/empty/a.yaml": one("10.1.0.1")})
        await until(lambda: ip_of(state) == "10.1.0.1")
        write(tmp_path, {"m/x.d/y/b.yaml": one("10.1.0.2", "b")})
        await until(lambda: ip_of(state, "b") == "10.1.0.2")
        write(tmp_path, {"m/x.d/y/b.yaml": one("10.1.0.3", "b")})
        await until(lambda: ip_of(state, "b") == "10.1.0.3")
        shutil.rmtree(tmp_path / "m/x.d")
        await until(lambda: ip_of(state, "b") == "")


async def test_debug_lines_name_the_files_that_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write(tmp_path, {"a.yaml": joined(one("10.1.0.1"), one("10.1.0.2", "b"))})
    source, _ = source_of(tmp_path)
    async with running(source):
        assert f"{tmp_path}/a.yaml: read: 2 objects" in caplog.messages
        write(tmp_path, {"a.yaml": "a: ["})
        await until(lambda: f"{tmp_path}/a.yaml: read: cannot be used" in caplog.messages)


@pytest.mark.parametrize("name", ["", "a.yaml"])
async def test_a_mounted_configmap_is_swapped(tmp_path: Path, name: str) -> None:
    """As the kubelet does: new hidden folder, `..data` renamed into place, old folder removed."""
    mount = tmp_path / "mount"
    write(mount, {"..1/a.yaml": one("10.1.0.1")})
    (mount / "..data").symlink_to("..1")
    (mount / "a.yaml").symlink_to("..data/a.yaml")
    source, state = source_of(mount / name)
    async with running(source):
        for version in range(2, 5):
            write(mount, {f"..{version}/a.yaml": one(f"10.1.0.{version}")})
            (mount / "..data_tmp").symlink_to(f"..{version}")
            (mount / "..data_tmp").rename(mount / "..data")
            shutil.rmtree(mount / f"..{version - 1}")
            await until(partial(has_ip, state, f"10.1.0.{version}"))
        assert source.errors_total == 0


async def test_links_to_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, {"v1/a.yaml": one("10.1.0.1"), "v2/a.yaml": one("10.1.0.2"), "m/x.txt": ""})
    (tmp_path / "current").symlink_to("v1")
    (tmp_path / "m/a.yaml").symlink_to(tmp_path / "current/a.yaml")
    source, state = source_of(tmp_path / "m")
    async with running(source):
        write(tmp_path, {"v1/a.yaml": one("10.1.0.3")})
        await until(lambda: ip_of(state) == "10.1.0.3")
        (tmp_path / "next").symlink_to("v2")
        (tmp_path / "next").rename(tmp_path / "current")
        await until(lambda: ip_of(state) == "10.1.0.2")
        (tmp_path / "m/a.yaml").unlink()
        (tmp_path / "m/a.yaml").symlink_to(tmp_path / "v1/a.yaml")
        await until(lambda: ip_of(state) == "10.1.0.3")


async def test_an_edit_within_one_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    """Same size, same times: only reading again tells."""
    path = tmp_path / "a.yaml"
    path.write_text(one("10.1.0.1"))
    source, state = source_of(tmp_path)
    await source.load()
    status = path.stat()
    path.write_text(one("10.1.0.2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    async with running(source):
        await until(lambda: ip_of(state) == "10.1.0.2")


async def test_a_broken_file_keeps_its_last_good_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {"a.yaml": joined(one("10.1.0.1"), one("10.1.0.2", "b")), "c.yaml": one("10.1.0.3", "c")})
    source, state = source_of(tmp_path)
    async with running(source):
        write(tmp_path, {"a.yaml": joined(one("10.1.0.9"), one("10.1.0.400", "b"))})
        await until(lambda: source.errors_total == 1)
        assert ip_of(state) == "10.1.0.1"
        assert source.broken.keys() == {tmp_path / "a.yaml"}
        told = f"{tmp_path}/a.yaml:6: Service default/b: spec.clusterIPs: '10.1.0.400' is no IP address; the last"
        assert told in caplog.text
        write(tmp_path, {"c.yaml": one("10.1.0.4", "c")})
        await until(lambda: ip_of(state, "c") == "10.1.0.4")
        assert source.errors_total == 1
        write(tmp_path, {"a.yaml": one("10.1.0.9")})
        await until(lambda: services(state).keys() == {"default/a", "default/c"})
        assert ip_of(state) == "10.1.0.9"
        assert not source.broken
        write(tmp_path, {"a.yaml": "a: ["})
        await until(lambda: source.errors_total == 2)
        (tmp_path / "a.yaml").unlink()
        await until(lambda: ip_of(state) == "")
        assert not source.broken


async def test_a_shortage_keeps_everything_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": one("10.1.0.1")})
    source, state = source_of(tmp_path, service_ranges=("10.0.0.0/30", "fd00::/64"))
    async with running(source):
        write(tmp_path, {"b.yaml": joined(*(service(f"s{number}") for number in range(3)))})
        await until(lambda: source.errors_total == 1)
        assert "is full" in "".join(source.broken.values())
        assert list(services(state)) == ["default/a"]
        write(tmp_path, {"b.yaml": joined(*(service(f"s{number}") for number in range(2)))})
        await until(lambda: len(services(state)) == 3)
        assert not source.broken


async def test_only_what_changed_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": one("10.1.0.1"), "b.yaml": one("10.1.0.2", "b")})
    source, state = source_of(tmp_path)
    told: list[frozenset[ObjectKey] | None] = []
    async with running(source):
        state.subscribe(told.append)
        write(tmp_path, {"b.yaml": one("10.1.0.3", "b"), "other.txt": "x"})
        await until(lambda: ip_of(state, "b") == "10.1.0.3")
        (tmp_path / "a.yaml").touch()
        write(tmp_path, {"d.yaml": ""})
        await asyncio.sleep(0.5)
    assert told == [frozenset({ObjectKey("default", "b")})]
    assert source.reloads_total == 1


async def test_without_notifications_files_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("watchfiles.awatch", refuse)
    write(tmp_path, {"a.yaml": one("10.1.0.1")})
    source, state = source_of(tmp_path)
    async with running(source):
        write(tmp_path, {"a.yaml": one("10.1.0.2")})
        await until(lambda: ip_of(state) == "10.1.0.2")
    assert caplog.text.count("OS file watch limit reached") == 1


async def test_changes_that_nobody_reports_are_found_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "COMPARED_S", 0.2)
    monkeypatch.setattr(watching.Watcher, "_concerns", lambda *_: False)
    write(tmp_path, {"a.yaml": one("10.1.0.1")})
    source, state = source_of(tmp_path)
    async with running(source):
        write(tmp_path, {"a.yaml": one("10.1.0.2")})
        await until(lambda: ip_of(state) == "10.1.0.2")


async def test_documents_beside_a_folder_change_live(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": one("10.1.0.1")})
    settings = ManifestSettings(paths=(tmp_path,), documents=one("10.1.0.2", "b"))
    state = ClusterState(settings.feeds, 1.0)
    source = ManifestSource(settings, state)
    async with running(source):
        await source.set_documents(one("10.1.0.3", "b"))
        assert ip_of(state, "b") == "10.1.0.3"
        write(tmp_path, {"a.yaml": one("10.1.0.4")})
        await until(lambda: ip_of(state) == "10.1.0.4")
        assert ip_of(state, "b") == "10.1.0.3"


async def test_run_loads_by_itself_and_waits_without_paths() -> None:
    settings = ManifestSettings.of(one("10.1.0.1"))
    state = ClusterState(settings.feeds, 1.0)
    task = asyncio.create_task(ManifestSource(settings, state).run())
    await until(lambda: ip_of(state) == "10.1.0.1")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ManifestError):
        await ManifestSource(ManifestSettings.of("a: ["), state).run()


async def test_broken_documents_at_first_leave_the_state_unsynced() -> None:
    settings = ManifestSettings.of("a: [")
    state = ClusterState(settings.feeds, 1.0)
    source = ManifestSource(settings, state)
    with pytest.raises(ManifestError, match="<documents>:2: no YAML"):
        await source.load()
    assert (state.synced, len(source.broken)) == (False, 1)
    await source.set_documents(one("10.1.0.1"))
    assert (state.synced, len(source.broken)) == (True, 0)


# Sizes and times.


async def test_a_small_scene_is_served_in_a_moment(tmp_path: Path) -> None:
    """The best of three: the others may have had to share the machine."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        await load(tmp_path, joined(*(service(f"s{number}") for number in range(20))))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05


MANY = 100_000


@pytest.mark.alone
async def test_a_hundred_thousand_objects(tmp_path: Path) -> None:
    items = (
        f"- apiVersion: v1\n  kind: Service\n  metadata:\n    name: s{number}\n    namespace: n{number % 50}\n"
        f"  spec:\n    type: ExternalName\n    externalName: x{number}\n"
        for number in range(MANY)
    )
    text = "apiVersion: v1\nitems:\n" + "".join(items) + "kind: List\n"
    start = time.perf_counter()
    state = await load(tmp_path, text)
    assert state.count(Feed.SERVICES) == MANY
    assert time.perf_counter() - start < 20


def many(prefix: str, count: int) -> str:
    return joined(*(one(f"{prefix}.{number >> 8}.{number & 255}", f"s{number}") for number in range(count)))


@pytest.mark.alone
async def test_a_large_reload_leaves_the_loop_free(tmp_path: Path) -> None:
    """However fast the machine is: no turn of the event loop takes a large part of the whole."""
    gc.collect()
    gc.freeze()  # what other tests have left is not what a collection is to look at
    try:
        pauses = await pauses_of_a_reload(tmp_path, 4_000)
    finally:
        gc.unfreeze()
    assert max(pauses) < sum(pauses) / 3, (max(pauses), sum(pauses))


async def pauses_of_a_reload(tmp_path: Path, parts: int) -> list[float]:
    """Seconds of each turn of the event loop, from the change of the file until it is served."""
    last = ObjectKey("default", f"s{parts - 1}")
    write(tmp_path, {"a.yaml": many("10.1", parts)})
    source, state = source_of(tmp_path)
    pauses: list[float] = []
    async with running(source):
        write(tmp_path, {"a.yaml": many("10.2", parts)})
        end = time.monotonic() + 60
        while (found := state.service(last)) and not found.cluster_ips[0].startswith("10.2."):
            assert time.monotonic() < end
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            pauses.append(time.perf_counter() - before)
    return pauses


async def test_a_cancelled_change_is_made_whole(tmp_path: Path) -> None:
    source, state = source_of(tmp_path)
    await source.load()
    documents = joined(*(one("10.1.0.1", f"s{number}") for number in range(1_000)))
    task = asyncio.create_task(source.set_documents(documents))
    while not state.count(Feed.SERVICES):  # noqa: ASYNC110 - the first turn is wanted
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state.count(Feed.SERVICES) == 1_000
    await source.set_documents("")
    assert state.count(Feed.SERVICES) == 0


async def test_a_namespace_is_gone_with_its_last_object(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": service("a", namespace="shop")})
    source, state = source_of(tmp_path)
    async with running(source):
        assert state.has_namespace("shop")
        (tmp_path / "a.yaml").unlink()
        await until(lambda: not state.has_namespace("shop"))


def test_what_it_says_of_itself() -> None:
    settings = ManifestSettings()
    source = ManifestSource(settings, ClusterState(settings.feeds, 1.0))
    assert repr(source) == "<ManifestSource files=0 broken=0 loaded=False>"
