"""Programs of other projects that tests ask with. One that is missing fails the test, and says where to get it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

#: Debian's package for each program.
PACKAGES = {
    "apt-get": "apt",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "runc": "runc",
    "getcap": "libcap2-bin",
    "dig": "bind9-dnsutils",
    "nslookup": "bind9-dnsutils",
    "kdig": "knot-dnsutils",
    "curl": "curl",
    "kubectl": "kubernetes-client",
    "nghttp": "nghttp2-client",
    "openssl": "openssl",
    "bash": "bash",
    "getent": "libc-bin",
    "ip": "iproute2",
    "musl-gcc": "musl-tools",
    "gcc": "gcc",
    "env": "coreutils",
    "chroot": "coreutils",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "sed": "sed",
    "sh": "dash",
    "mount": "mount",
    "umount": "mount",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "nft": "nftables",
}
#: What Debian's packages are too old of.
ELSEWHERE = {"go": "install Go 1.26 or newer, from go.dev"}
#: What no package of Debian's has, and the command that makes it (needs the Go command, 1.26 or newer).
GO_PROGRAMS = {"helm": "go install helm.sh/helm/v3/cmd/helm@v3.22.0"}
#: Seconds. A program that takes longer hangs.
PATIENCE_S = 20.0


def tool(name: str) -> str:
    """The path of a program; the test fails when it is not installed."""
    found = shutil.which(name) or shutil.which(
        name, path=f"/usr/sbin:/sbin:/usr/local/go/bin:{_go_programs()}"
    )
    if found is None:
        how = ELSEWHERE.get(name) or GO_PROGRAMS.get(name) or f"apt-get install {PACKAGES[name]}"
        pytest.fail(f"{name} is missing: {how}", pytrace=False)
    return found


def _go_programs() -> Path:
    """Where `go install` puts programs."""
    return Path(os.environ.get("GOBIN") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin")


def need_root(what: str) -> None:
    """Fail the test unless it runs as root."""
    if os.geteuid() != 0:
        pytest.fail(f"{what} needs root: run the tests with sudo", pytrace=False)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str = "",
    patience_s: float = PATIENCE_S,
) -> subprocess.CompletedProcess[str]:
    """Run *command* to its end; *text* is its standard input."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=None if env is None else dict(env),
        input=text,
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )


def must_run(
    command: Sequence[str | Path], *, cwd: Path | None = None, patience_s: float = PATIENCE_S
) -> str:
    """Standard output of *command*, which must end well."""
    done = run(command, cwd=cwd, patience_s=patience_s)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done.stdout
