"""Run a container as a node does: a pod's manifest to a bundle of the OCI runtime specification, and that by runc.

What kubelet and containerd decide in between stands here: which capabilities a user that is not root gets (those of the
manifest as permitted and effective, none as ambient), what is mounted besides the volumes, and the 64 MiB of /dev/shm.
"""

import contextlib
import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.image.building import Image
from tests.support.process import wait_until
from tests.support.tools import must_run, run, tool

#: Octets of the suffixes of quantities.
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
#: What containerd mounts in every container (its `oci.Spec`).
MOUNTS = (
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "mode=755", "size=65536k"],
    },
    {
        "destination": "/sys",
        "type": "sysfs",
        "source": "sysfs",
        "options": ["nosuid", "noexec", "nodev", "ro"],
    },
    {
        "destination": "/sys/fs/cgroup",
        "type": "cgroup",
        "source": "cgroup",
        "options": ["nosuid", "noexec", "nodev", "relatime", "ro"],
    },
)
NAMESPACES = ("pid", "ipc", "uts", "mount", "cgroup")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Of one container. `capabilities` as Kubernetes has them, without CAP_; `granted`: they are permitted from the
    start, as containerd does it, and not only within bounds, as Docker does it for users other than root."""

    user: tuple[int, int]
    capabilities: tuple[str, ...] = ()
    granted: bool = True
    no_new_privileges: bool = False
    read_only: bool = False
    memory: int | None = None
    """Octets."""
    shared_kib: int = 64 << 10
    """The size of /dev/shm, which is the pod's."""
    mounts: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, container: Mapping[str, Any], image: Image) -> "Constraints":
        """Those that a container of a manifest asks for. The mounts of its volumes are the caller's."""
        security = container["securityContext"]
        assert security["capabilities"]["drop"] == ["ALL"]
        user, group = image.config()["User"].split(":")
        limit = container["resources"]["limits"]["memory"]
        return cls(
            user=(int(security.get("runAsUser", user)), int(security.get("runAsGroup", group))),
            capabilities=tuple(security["capabilities"]["add"]),
            no_new_privileges=not security["allowPrivilegeEscalation"],
            read_only=security["readOnlyRootFilesystem"],
            memory=int(limit[:-2]) * UNITS[limit[-2:]],
        )


def bundle(root: Path, command: Sequence[str], limits: Constraints, netns: str) -> dict[str, Any]:
    """The configuration of the OCI runtime specification."""
    capabilities = [f"CAP_{name}" for name in limits.capabilities]
    sets = ("bounding", "effective", "permitted") if limits.granted else ("bounding",)
    user, group = limits.user
    binds = [
        {"destination": place, "type": "bind", "source": str(source), "options": ["rbind", "ro"]}
        for place, source in limits.mounts.items()
    ]
    options = ["nosuid", "noexec", "nodev", "mode=1777", f"size={limits.shared_kib}k"]
    shared = {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": options}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user, "gid": group},
            "args": list(command),
            "env": [f"{name}={text}" for name, text in limits.environment.items()],
            "cwd": "/",
            "capabilities": dict.fromkeys(sets, capabilities),
            "noNewPrivileges": limits.no_new_privileges,
        },
        "root": {"path": str(root), "readonly": limits.read_only},
        "hostname": "coredns",
        "mounts": [*MOUNTS, shared, *binds],
        "linux": {
            "namespaces": [
                *({"type": name} for name in NAMESPACES),
                {"type": "network", "path": f"/run/netns/{netns}"},
            ],
            "resources": {} if limits.memory is None else {"memory": {"limit": limits.memory}},
        },
    }


class Container:
    """It runs while the context lasts; `log` is what it has said."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self._folder = folder
        self._config = config
        self._name = f"dnsserver-{os.getpid()}-{next(_numbers)}"
        self._runc = (tool("runc"), "--root", str(folder / "state"))

    def __enter__(self) -> "Container":
        (self._folder / "config.json").write_text(json.dumps(self._config))
        with (self._folder / "log").open("wb") as log:
            words = ("run", "--bundle", str(self._folder), self._name)
            self.process = subprocess.Popen((*self._runc, *words), stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        run((*self._runc, "delete", "--force", self._name))
        self.process.wait()

    def __repr__(self) -> str:
        return f"<Container {self._name}: exit {self.process.poll()}>\n{self.log}"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def pid(self) -> int:
        """That of its first process, outside."""
        return int(json.loads(must_run((*self._runc, "state", self._name)))["pid"])

    def kill(self, name: str) -> None:
        must_run((*self._runc, "kill", self._name, name))

    def execute(self, *command: str) -> None:
        """As `kubectl exec` does."""
        must_run((*self._runc, "exec", self._name, *command))

    def states(self) -> list[str]:
        """Of all processes in it, as ps(1) names them."""
        pids = json.loads(must_run((*self._runc, "ps", "--format", "json", self._name)))
        return [self.status(pid)["State"][0] for pid in pids if Path(f"/proc/{pid}").exists()]

    def memory(self) -> Path:
        """The folder of its control group for memory, of either version."""
        lines = Path(f"/proc/{self.pid()}/cgroup").read_text().splitlines()
        found = {names: path for _, names, path in (line.split(":", 2) for line in lines)}
        if "memory" in found:
            return Path("/sys/fs/cgroup/memory") / found["memory"].lstrip("/")
        return Path("/sys/fs/cgroup") / found[""].lstrip("/")

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.log or self.process.poll() is not None, lambda: repr(self))
        assert text in self.log, repr(self)

    def status(self, pid: int) -> dict[str, str]:
        """Of /proc/PID/status."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return {key: text.strip() for key, _, text in (line.partition(":") for line in lines)}


@contextlib.contextmanager
def running(folder: Path, config: Mapping[str, Any]) -> Iterator[Container]:
    folder.mkdir(exist_ok=True)
    with Container(folder, config) as container:
        yield container
