"""`dnsserver names --server`: the names of a running server, page by page."""

import asyncio
import json
from pathlib import Path

import pytest

from dnsserver.runtime.listing import ServedName
from dnsserver.runtime.naming import LISTS_MAX, PAGE_MAX, NamePages, NoSuchListError
from tests.end_to_end.commands import SERVICE, Finish, started
from tests.runtime.helpers import server_of
from tests.support.process import free_port, wait_until

#: Services; each has five names and types, so that there are several pages.
MANY = 250


def manifests(folder: Path) -> Path:
    text = "---\n".join(
        SERVICE.replace("name: web", f"name: web-{number}").replace("0.80", f"{number // 250}.{number % 250}")
        for number in range(MANY)
    )
    (folder / "many.yaml").write_text(text)
    return folder / "many.yaml"


def named(text: str) -> list[dict[str, object]]:
    """Names of objects: those of the zones themselves have this host's addresses, and the time as serial."""
    return [each for each in json.loads(text)["names"] if each["objects"]]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_names_of_a_running_server_are_those_of_its_manifests(
    workers: str, tmp_path: Path, call: Finish
) -> None:
    path = manifests(tmp_path)
    port, admin = free_port(), f"127.0.0.1:{free_port()}"
    words = (
        "serve",
        path,
        "--port",
        str(port),
        "--admin",
        admin,
        "--workers",
        workers,
        "--state-dir",
        tmp_path / "s",
    )
    with started(*words, cwd=tmp_path, until="Stop with Ctrl-C.") as server:
        live, told = call("names", "--server", admin, "--json"), call("names", str(path), "--json")
        table = call("names", "--server", admin, "--kind", "service", "--type", "A")
        assert server.stop() == 0
    assert live.returncode == 0, live.stderr
    found, expected = named(live.stdout), named(told.stdout)
    assert len(found) == 5 * MANY > 2 * PAGE_MAX
    for each in (*found, *expected):
        each.pop("server")  # of a port of its own
    assert found == expected
    assert len(table.stdout.splitlines()) == 1 + 2 * MANY
    assert "pods insecure" in table.stderr


@pytest.mark.parametrize("workers", ["0", "1"])
def test_files_as_they_are_now(workers: str, tmp_path: Path, call: Finish) -> None:
    """Whichever process answers queries: the endpoint follows the same files."""
    hosts, admin = tmp_path / "hosts.txt", f"127.0.0.1:{free_port()}"
    hosts.write_text("192.0.2.1 one.example.net\n")
    (tmp_path / "Corefile").write_text(
        f".:{free_port()} {{\nbind 127.0.0.1\nhosts hosts.txt example.net {{\nreload 100ms\n}}\n}}\n"
    )

    def listed() -> list[object]:
        told = json.loads(call("names", "--server", admin, "--json", "--type", "A").stdout)
        return [(each["name"], each["values"], each["place"]) for each in told["names"]]

    with started(
        "--admin", admin, "--workers", workers, "--state-dir", tmp_path / "s", cwd=tmp_path
    ) as server:
        assert listed() == [("one.example.net.", ["192.0.2.1"], str(hosts))]
        hosts.write_text("192.0.2.1 one.example.net\n192.0.2.2 two.example.net\n")
        wait_until(lambda: len(listed()) == 2, lambda: str(listed()))
        assert server.stop() == 0


async def test_lists_that_are_not_asked_for_end(tmp_path: Path) -> None:
    manifests(tmp_path)
    text = ".:0 {\nbind 127.0.0.1\nkubernetes cluster.local in-addr.arpa {\nmanifests many.yaml\n}\n}\n"
    pages = NamePages()
    async with server_of(text, tmp_path) as server, server_of(text, tmp_path) as another:
        first, *others = [pages.page(server, "")["cursor"] for _ in range(LISTS_MAX + 1)]
        with pytest.raises(NoSuchListError):
            pages.page(server, first)
        second = pages.page(server, others[0])
        assert len(second["names"]) == PAGE_MAX
        with pytest.raises(NoSuchListError):
            pages.page(server, others[0])  # each page once
        with pytest.raises(NoSuchListError):
            pages.page(another, others[1])  # after a reload
        rows = [ServedName.from_json(each) for each in second["names"]]
        assert [row.as_json() for row in rows] == second["names"]


async def test_a_list_is_over_when_nobody_asks_for_its_pages(tmp_path: Path) -> None:
    manifests(tmp_path)
    text = ".:0 {\nbind 127.0.0.1\nkubernetes cluster.local {\nmanifests many.yaml\n}\n}\n"
    pages = NamePages(life_s=0.01)
    async with server_of(text, tmp_path) as server:
        cursor = pages.page(server, "")["cursor"]
        await asyncio.sleep(0.05)
        with pytest.raises(NoSuchListError):
            pages.page(server, cursor)


async def test_a_page_is_bounded_also_where_another_plugin_answers(tmp_path: Path) -> None:
    """`hosts` of all names in front of a cluster: of that none is listed."""
    manifests(tmp_path)
    text = (
        ".:0 {\nbind 127.0.0.1\nhosts none.txt {\n192.0.2.1 one.example.net\nno_reverse\n}\n"
        "kubernetes cluster.local {\nmanifests many.yaml\n}\n}\n"
    )
    pages = NamePages()
    async with server_of(text, tmp_path) as server:
        given = [pages.page(server, "")]
        while given[-1]["cursor"]:
            given.append(pages.page(server, given[-1]["cursor"]))
    assert [len(page["names"]) for page in given] == [1, 0, 0]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--server", "127.0.0.1:1"], 1, "no server answers at 127.0.0.1:1"),
        (["--server", "nowhere"], 2, "nowhere"),
        (["--server", "127.0.0.1:1", "x.yaml"], 2, "exclude each other"),
    ],
    ids=["nobody there", "no address", "both"],
)
def test_wrong_use(words: list[str], code: int, told: str, call: Finish) -> None:
    done = call("names", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
