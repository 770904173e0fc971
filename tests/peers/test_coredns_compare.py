"""`dnsserver compare` between CoreDNS and us on one cluster: whatever differs is what docs/differences.md lists."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from dnsserver.testing.kube_api import KubeApi
from tests.end_to_end.commands import Done, finish
from tests.peers import scene
from tests.peers.test_coredns import asked

COREDNS = [os.environ.get("COREDNS", "")]
OURS = [sys.executable, "-m", "dnsserver"]


async def compared(folder: Path, options: tuple[str, str], more: str, *words: str) -> Done:
    """CoreDNS with the first of *options* in its `kubernetes` block, we with the second."""
    async with KubeApi() as api:
        scene.fill(api)
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(api.kubeconfig()))
        async with (
            asked(api, COREDNS, options[0], folder, more=more) as theirs,
            asked(api, OURS, options[1], folder, more=more) as ours,
        ):
            addresses = ("--old", f"127.0.0.1:{theirs}", "--new", f"127.0.0.1:{ours}")
            command = ("compare", *addresses, "--kubeconfig", str(kubeconfig), "--qps", "1000", *words)
            return await asyncio.to_thread(finish, *command, cwd=folder)


@pytest.mark.parametrize(
    "more", ["", "cache 30", "cache 30\nloadbalance"], ids=["plain", "cache", "shuffled"]
)
async def test_what_differs_is_listed(more: str, tmp_path: Path) -> None:
    done = await compared(tmp_path, ("pods insecure\nttl 30",) * 2, more)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "accepted: ExternalName" in done.stdout


async def test_strict_counts_what_is_listed(tmp_path: Path) -> None:
    done = await compared(
        tmp_path, ("pods insecure\nttl 30",) * 2, "", "--strict", "--retries", "0", "--json"
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["accepted"] == []


async def test_another_ttl_shows_through_a_cache(tmp_path: Path) -> None:
    done = await compared(tmp_path, ("pods insecure\nttl 30", "pods insecure\nttl 5"), "cache 30", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert set(found["different"]) == {"ttl", "negative-ttl", "answer"}
    assert {one["type"] for one in found["differences"] if one["kind"] == "answer"} == {"SOA"}  # its MINIMUM


async def test_pods_that_only_one_serves(tmp_path: Path) -> None:
    done = await compared(tmp_path, ("pods insecure", "pods disabled"), "", "--retries", "0", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert set(found["different"]) == {"rcode"}
    assert all(".pod.cluster.local." in one["name"] for one in found["differences"])
