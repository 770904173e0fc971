"""Containers with and without the capability, for each way in which it may be had or not."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.netns import Namespace
from tests.image.building import Image
from tests.image.runtime import Constraints, bundle, running
from tests.support.process import wait_until
from tests.support.tools import must_run, tool

pytestmark = [
    pytest.mark.tool("apt-get", "buildah", "debootstrap", "dig", "curl", "ip", "runc"),
    pytest.mark.netns,
    pytest.mark.mount,
]
USER, ROOT = (65532, 65532), (0, 0)
BIND = ("NET_BIND_SERVICE",)
COREFILE = ".:{port} {{\n    whoami\n    prometheus :9153\n}}\n"
UNPRIVILEGED = "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"

#: Constraints, port, and whether every port is for everybody.
STARTS = {
    "as containerd does it": (Constraints(user=USER, capabilities=BIND, no_new_privileges=True), 53, False),
    "with no word on escalation": (Constraints(user=USER, capabilities=BIND, granted=False), 53, False),
    "as Docker does it": (
        Constraints(user=USER, capabilities=BIND, granted=False, no_new_privileges=True),
        53,
        True,
    ),
    "nothing, and ports for all": (Constraints(user=USER, no_new_privileges=True), 53, True),
    "nothing, and another port": (Constraints(user=USER, no_new_privileges=True), 1053, False),
    "root": (Constraints(user=ROOT, capabilities=BIND, no_new_privileges=True), 53, False),
    "another user": (Constraints(user=(1234, 1234), capabilities=BIND, no_new_privileges=True), 53, False),
}


@pytest.fixture
def net() -> Iterator[Namespace]:
    with Namespace() as made:
        yield made


def corefile(folder: Path, port: int) -> Path:
    made = folder / "coredns"
    made.mkdir()
    (made / "Corefile").write_text(COREFILE.format(port=port))
    return made


def command(image: Image) -> list[str]:
    return [*image.config()["Entrypoint"], "-conf", "/etc/coredns/Corefile"]


@pytest.mark.parametrize("case", STARTS)
def test_it_starts(case: str, image: Image, root: Path, net: Namespace, tmp_path: Path) -> None:
    limits, port, for_all = STARTS[case]
    if for_all:
        must_run((*net.prefix, tool("sh"), "-c", UNPRIVILEGED))
    mounts = {"/etc/coredns": corefile(tmp_path, port)}
    config = bundle(root, command(image), replace(limits, mounts=mounts), net.name)
    with running(tmp_path / "bundle", config) as container:
        container.wait_for("linux/")
        status, _ = net.run(tool("dig"), "@127.0.0.1", "-p", str(port), "+short", "example.org", "A")
        assert status == 0, repr(container)
        _, metrics = net.run(tool("curl"), "-s", "http://127.0.0.1:9153/metrics")
        assert "\nprocess_open_fds " in metrics, "whoever runs it may look at it"
        assert container.status(container.pid())["Uid"].split()[0] == str(limits.user[0])
        container.kill("TERM")
        assert container.process.wait(20) == 0, repr(container)


def test_without_a_way_to_the_port_it_says_what_is_missing(
    image: Image, root: Path, net: Namespace, tmp_path: Path
) -> None:
    mounts = {"/etc/coredns": corefile(tmp_path, 53)}
    limits = Constraints(user=USER, no_new_privileges=True, mounts=mounts)
    with running(tmp_path / "bundle", bundle(root, command(image), limits, net.name)) as container:
        assert container.process.wait(20) == 1
        assert "NET_BIND_SERVICE" in container.log


def test_without_room_for_the_store_it_says_so(
    image: Image, root: Path, net: Namespace, tmp_path: Path
) -> None:
    """The root file system is read-only, nothing else is mounted, and something else has filled /dev/shm."""
    mounts = {"/etc/coredns": corefile(tmp_path, 1053)}
    limits = Constraints(user=USER, read_only=True, shared_kib=128, mounts=mounts)
    with running(tmp_path / "bundle", bundle(root, command(image), limits, net.name)) as container:
        assert container.process.wait(20) == 1
        assert container.log.splitlines()[-1].endswith("in /dev/shm; free 256 KiB there, or choose one")


def test_buildah_run(image: Image, net: Namespace, tmp_path: Path) -> None:
    """What somebody does who has no daemon; the namespace is that of the container."""
    mount = f"{corefile(tmp_path, 53)}:/etc/coredns:ro"
    with image.buildah.container(image.number) as name, (tmp_path / "log").open("wb") as log:
        words = image.buildah.command("run", "--volume", mount, name, "--", *command(image))
        process = subprocess.Popen((*net.prefix, *words), stdout=log, stderr=log)
        try:
            wait_until(lambda: "linux/" in (tmp_path / "log").read_text(), (tmp_path / "log").read_text)
            for protocol in ("+notcp", "+tcp"):
                status, said = net.run(
                    tool("dig"), "@127.0.0.1", protocol, "+noall", "+comments", "example.org", "A"
                )
                assert (status, "status: NOERROR" in said) == (0, True), said
        finally:
            process.terminate()
            process.wait(20)
