"""The image, built for real: a base by debootstrap, and the Dockerfile on it by buildah, without a daemon.

Both are kept between runs of the tests in a folder of the user's cache: the base by what it is made from, the rest by
buildah, which looks at the content of what is copied.
"""

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import REPOSITORY
from tests.support.tools import tool

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dnsserver-tests" / "image"
#: Where mounts are noted, which a restart of the machine ends.
RUN = Path("/run/dnsserver-tests-image")
#: Images and their layers, some ten for each build. Old ones are not told from those in use.
IMAGES_MOST = 200
#: Seconds. A step that takes longer does not come to an end.
PATIENCE_S = 600.0
#: What pip needs to know to reach an index.
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
#: The hosts' images are not signed, and these come from here.
POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


@dataclass(frozen=True, slots=True)
class Debian:
    """Where apt on this machine gets the base system from."""

    mirror: str
    codename: str

    @classmethod
    def of_this_machine(cls) -> "Debian":
        release = dict(
            line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
        )
        codename = release["VERSION_CODENAME"]
        form = "$(CODENAME) $(COMPONENT) $(REPO_URI)"
        for line in _said(
            tool("apt-get"), "indextargets", "--format", form, "Created-By: Packages"
        ).splitlines():
            found, component, uri = line.split()
            if (found, component) == (codename, "main"):
                return cls(uri, codename)
        raise AssertionError(f"apt has no source for {codename} main: run `apt-get update`")


@dataclass(frozen=True, slots=True)
class Buildah:
    """A storage of our own."""

    folder: Path

    def __call__(self, *words: str | Path) -> str:
        """Standard output of `buildah WORDS`, which must end well."""
        return _said(*self.command(*words)).strip()

    def command(self, *words: str | Path) -> tuple[str, ...]:
        places = ("--root", str(self.folder / "storage"), "--runroot", str(RUN))
        return (tool("env"), "BUILDAH_ISOLATION=chroot", tool("buildah"), *places, *map(str, words))

    @property
    def policy(self) -> tuple[str, str]:
        path = self.folder / "policy.json"
        path.write_text(json.dumps(POLICY))
        return "--signature-policy", str(path)

    @contextlib.contextmanager
    def container(self, image: str) -> Iterator[str]:
        name = self("from", *self.policy, image)
        try:
            yield name
        finally:
            self("rm", name)

    @contextlib.contextmanager
    def mounted(self, container: str) -> Iterator[Path]:
        place = Path(self("mount", container))
        try:
            yield place
        finally:
            self("umount", container)


@dataclass(frozen=True, slots=True)
class Image:
    buildah: Buildah
    number: str
    """Its id."""
    seconds: float
    """That the build took."""

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.buildah("inspect", "--type", "image", self.number))
        config: dict[str, Any] = found["OCIv1"]["config"]
        return config


def build() -> Image:
    """The image of this checkout. One process at a time builds; the others find what it has left."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begun = time.monotonic()
        buildah = Buildah(CACHE)
        _bound(buildah)
        base = _base(buildah, Debian.of_this_machine())
        with tempfile.TemporaryDirectory() as folder:
            number = Path(folder) / "number"
            words = ("--layers", "--pull=never", *buildah.policy, *_pip(Path(folder)))
            files = ("--iidfile", number, "--file", REPOSITORY / "Dockerfile", REPOSITORY)
            buildah("build-using-dockerfile", *words, "--build-arg", f"BASE={base}", *files)
            return Image(buildah, number.read_text().strip(), time.monotonic() - begun)


def _bound(buildah: Buildah) -> None:
    """Begin anew when there is too much, unless somebody is at work in there."""
    images = buildah("images", "--all", "--quiet").splitlines()
    if len(images) > IMAGES_MOST and not buildah("containers", "--quiet"):
        buildah("rmi", "--all", "--force")


def _base(buildah: Buildah, debian: Debian) -> str:
    """The name of an image with the least of Debian."""
    made_of = f"{debian} {platform.machine()} minbase"
    name = f"localhost/base:{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    if name in buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines():
        return name
    with buildah.container("scratch") as container:
        with buildah.mounted(container) as root:
            _said(tool("debootstrap"), "--variant=minbase", debian.codename, str(root), debian.mirror)
            shutil.rmtree(root / "var/cache/apt/archives")
            (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text(
                "force-unsafe-io\n"
            )  # thrown away in a power failure
        buildah("commit", "--quiet", *buildah.policy, container, name)
    return name


def _pip(folder: Path) -> tuple[str, ...]:
    """Lets pip reach, in the build, the index that pip reaches here: its settings, and whom it trusts."""
    lines = _said(sys.executable, "-m", "pip", "config", "list").splitlines()
    found = {
        key.split(".", 1)[1].lstrip("."): value for key, _, value in (line.partition("=") for line in lines)
    }
    settings = {key: ast.literal_eval(found[key]) for key in PIP_SETTINGS if key in found}
    if "cert" in found:
        shutil.copy(ast.literal_eval(found["cert"]), folder / "certificates.pem")
        settings["cert"] = "/run/pip/certificates.pem"
    text = "".join(f"{key} = {value}\n" for key, value in settings.items())
    (folder / "pip.conf").write_text(f"[global]\n{text}")
    return "--volume", f"{folder}:/run/pip:ro", "--volume", f"{folder / 'pip.conf'}:/etc/pip.conf:ro"


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout
