"""What tells the state of one configuration, and of one cluster, from that of another."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dnsserver.plugins import kubernetes
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.plugins.plugin import Site, Source
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.store.keeping import InMemory, Kept
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed
from tests.plugins.helpers import directive, site


async def no_source(_: ClusterState, __: frozenset[Feed]) -> Source:
    raise AssertionError("nothing is started")


def configuration(*lines: str, folder: Path = Path("/"), **changes: object) -> bytes:
    """What `setup` asks for a place with."""
    asked: list[bytes] = []

    def keep(feeds: frozenset[Feed], found: bytes, now: Callable[[], float]) -> Kept:
        asked.append(found)
        return InMemory(feeds, found, now)

    text = "\n".join(("kubernetes cluster.local {", *lines, "}"))
    where: Site = replace(site(directory=folder), keep=keep, **changes)  # type: ignore[arg-type]
    kubernetes.setup(directive(text, folder), where)
    assert len(asked) == 1
    return asked[0]


def test_the_same_words() -> None:
    assert configuration() == configuration()
    assert configuration() != configuration("pods verified")
    assert configuration("endpoint a:1") == configuration("endpoint a:1", folder=Path("/other"))


def test_manifests_of_another_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "one")
    found = [configuration("manifests here", folder=tmp_path / name) for name in ("one", "link", "two")]
    assert found[0] == found[1] != found[2]
    assert found[0] == configuration("manifests here", folder=tmp_path / "two" / ".." / "one")


def test_a_kubeconfig_that_was_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    missing = configuration("kubeconfig config")
    Path("config").write_text("one")
    one = configuration("kubeconfig config")
    assert one == configuration("kubeconfig config") != missing
    Path("config").write_text("two")
    assert configuration("kubeconfig config") != one
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "config").write_text("one")
    monkeypatch.chdir("sub")
    assert configuration("kubeconfig config") != one, "another file of the same content"


def test_the_cluster_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses of clusters are often the same; their certificates never are."""
    init = _with_account(KubernetesSettings.__init__, tmp_path)
    monkeypatch.setattr(KubernetesSettings, "__init__", init)
    before = configuration()
    endpoint = configuration("endpoint a:1")
    (tmp_path / "ca.crt").write_text("one")
    one = configuration()
    assert one == configuration() != before
    (tmp_path / "ca.crt").write_text("two")
    assert configuration() != one
    assert configuration("endpoint a:1") == endpoint, "it is not used then"


def _with_account(init: Callable[..., None], folder: Path) -> Callable[..., None]:
    def made(self: KubernetesSettings, **fields: Any) -> None:
        access = replace(fields.get("access", LiveSettings()), service_account=folder)
        init(self, **{**fields, "access": access})

    return made


def test_a_source_of_which_nothing_is_known() -> None:
    """Its state is of use in this run only: children have the same, another run has not."""
    here = configuration(source=no_source)
    assert here == configuration(source=no_source) != configuration()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, configuration(source=no_source))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == here
    os.close(reading)
    os.close(writing)


def test_a_source_in_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    here = configuration(source=no_source)
    monkeypatch.setattr(kubernetes, "_RUN", os.urandom(16))
    assert configuration(source=no_source) != here
