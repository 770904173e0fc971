"""Put together the root file system of the image, from what is installed around this script.

    python3 assemble.py LIBRARIES PACKAGE IMAGE

LIBRARIES is a folder that pip has filled, PACKAGE the server's source, IMAGE the folder that is made. It gets the
running interpreter with its standard library, the shared objects that any of this needs, certificates, and of each
Debian package that a file comes from its licence and its entry for scanners (`/var/lib/dpkg/status.d`).

It runs in the build of the image, where there is the standard library only.
"""

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Of the standard library: what is for screens, terminals, compilers, databases, directory services, pip and tests.
STDLIB_LEFT_OUT = (
    *("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo", "venv", "distutils"),
    *("config-*", "curses", "dbm", "doctest.py", "turtle.py", "sitecustomize.py"),
    *("lib-dynload/_curses*", "lib-dynload/_dbm.*", "lib-dynload/readline.*"),
    *("lib-dynload/nis.*", "lib-dynload/_crypt.*", "crypt.py", "lib-dynload/_tkinter.*"),
    *("LICENSE.txt", "EXTERNALLY-MANAGED", "**/__pycache__"),
)
#: Of the libraries. The Kubernetes client loads the class of an object or of an API group when somebody asks for it;
#: the server never does, it reads JSON by itself. What makes the packages is kept.
LIBRARIES_LEFT_OUT = (
    *("kubernetes/client/models/[!_]*", "kubernetes/client/api/[!_]*"),
    *("kubernetes/aio/client/models/[!_]*", "kubernetes/aio/client/api/[!_]*"),
    *("bin", "**/tests", "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.c", "**/*.h", "**/__pycache__"),
)
#: The source of the server stays, for its lines in stack traces; manuals are for people who have the repository, and
#: `testing` is for their tests.
PACKAGE_LEFT_OUT = ("testing", "**/README.md", "**/__pycache__")
#: What is opened by its name and so is in no list of needed objects: the C library's, for the end of a thread.
OPENED_BY_NAME = ("libgcc_s.so.1",)
#: Where /bin, /lib and the like lead to (Debian since 12).
MERGED = ("bin", "lib", "lib64", "sbin")
OWN = "dnsserver"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OPENSSL = Path("/usr/lib/ssl")
DPKG = Path("/var/lib/dpkg")

FILES = {
    "etc/passwd": "root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/:/nonexistent\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
#: Isolated: neither variables nor folders of the surroundings change what is imported. Nothing is written beside it.
START = """\
#!{python} -IBu
import sys

from dnsserver.__main__ import main

sys.exit(main())
"""


def main(libraries: Path, package: Path, image: Path) -> None:
    interpreter = Path(sys.executable).resolve()
    stdlib = Path(sysconfig.get_path("stdlib"))
    site = (
        image / "usr/local/lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "dist-packages"
    )
    link_merged(image)
    copied = [*copy(interpreter, image), *copy_tree(stdlib, image / stdlib.relative_to("/"), STDLIB_LEFT_OUT)]
    copy_tree(libraries, site, LIBRARIES_LEFT_OUT)
    copy_tree(package, site / OWN, PACKAGE_LEFT_OUT)
    copied += [file for path in needed(image) for file in copy(path, image)]
    copied += copy_certificates(image)
    add_files(image, interpreter)
    compile_all(image, image / stdlib.relative_to("/"), site)
    describe_packages(copied, image)
    set_times(image, int(os.environ.get("SOURCE_DATE_EPOCH", "0")))


def link_merged(image: Path) -> None:
    for name in MERGED:
        place = Path("/") / name
        if place.is_symlink():
            (image / "usr" / name).mkdir(parents=True, exist_ok=True)
            (image / name).symlink_to(place.readlink())


def copy(path: Path, image: Path) -> Iterator[Path]:
    """Copy a file of the system to its place; links on the way become links. What was copied, as the system has it."""
    target = image / path.relative_to("/")
    real = path.parent.resolve() / path.name
    if os.path.lexists(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(real, target, follow_symlinks=False)
    yield real
    if real.is_symlink():
        yield from copy(real.parent / real.readlink(), image)


def copy_tree(source: Path, target: Path, left_out: Iterable[str]) -> list[Path]:
    """What was copied, as it is called in *source*."""
    gone = {path for pattern in left_out for path in source.glob(pattern)}
    copied: list[Path] = []

    def ignore(folder: str, names: list[str]) -> list[str]:
        ignored = [name for name in names if Path(folder, name) in gone]
        copied.extend(Path(folder, name) for name in names if name not in ignored)
        return ignored

    shutil.copytree(source, target, symlinks=True, ignore=ignore)
    return [path for path in copied if path.is_file()]


def needed(image: Path) -> list[Path]:
    """The shared objects of the system that programs and objects in *image* need, and those opened by name."""
    found: set[Path] = set()
    for path in (path for path in image.rglob("*") if path.is_file() and not path.is_symlink()):
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                found.update(linked(path))
    folders = {path.parent for path in found}
    found.update(folder / name for folder in folders for name in OPENED_BY_NAME if (folder / name).exists())
    return sorted(path for path in found if not path.is_relative_to(image))


def linked(path: Path) -> Iterator[Path]:
    """What the dynamic linker would load for *path*. An object that is not found ends the build."""
    said = subprocess.run(("ldd", path), capture_output=True, text=True, check=False).stdout
    for line in said.splitlines():
        _, _, place = line.rpartition("=>")
        words = place.split()
        if words and words[0] == "not":
            raise SystemExit(f"{path}: {line.strip()}")
        if words and words[0].startswith("/"):
            yield Path(words[0])


def copy_certificates(image: Path) -> list[Path]:
    """The bundle, also where OpenSSL looks by default."""
    copied = list(copy(CERTIFICATES, image))
    place = image / OPENSSL.relative_to("/")
    place.mkdir(parents=True)
    (place / "cert.pem").symlink_to(CERTIFICATES)
    (place / "certs").symlink_to(CERTIFICATES.parent)
    return copied


def add_files(image: Path, interpreter: Path) -> None:
    for name, text in FILES.items():
        path = image / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy2("/usr/lib/os-release", image / "etc/os-release")
    programs = image / "usr/bin"
    (programs / "python3").symlink_to(interpreter.name)
    start = programs / "dnsserver"
    start.write_text(START.format(python=interpreter))
    start.chmod(0o755)


def compile_all(image: Path, stdlib: Path, site: Path) -> None:
    """Byte code that is never compared with its source, so that it is the same in each build. The server's stands
    beside its source, that of others in the place of theirs."""
    own = site / OWN
    for folder in (stdlib, *(path for path in site.iterdir() if path.is_dir() and path != own), own):
        compileall.compile_dir(
            folder,
            ddir=f"/{folder.relative_to(image)}",
            quiet=2,
            legacy=folder != own,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    for path in (path for folder in (stdlib, site) for path in folder.rglob("*.py")):
        if path.with_suffix(".pyc").exists():
            path.unlink()


def describe_packages(copied: Iterable[Path], image: Path) -> None:
    """The licence and the description of each Debian package that has one of the files."""
    packages = {}
    for listing in sorted((DPKG / "info").glob("*.list")):
        packages.update(dict.fromkeys(map(merged, listing.read_text().splitlines()), listing.stem))
    for package in sorted({packages[name] for name in map(merged, copied) if name in packages}):
        name = package.partition(":")[0]
        (image / DPKG.relative_to("/") / "status.d").mkdir(parents=True, exist_ok=True)
        said = subprocess.run(("dpkg-query", "--status", package), capture_output=True, text=True, check=True)
        (image / DPKG.relative_to("/") / "status.d" / name).write_text(said.stdout)
        licence = Path("/usr/share/doc", name, "copyright").resolve()
        target = image / "usr/share/doc" / name / "copyright"
        target.parent.mkdir(parents=True)
        shutil.copy2(licence, target)


def merged(path: str | Path) -> str:
    """The same for /lib/NAME and /usr/lib/NAME."""
    return f"/{str(path).removeprefix('/usr').lstrip('/')}"


def set_times(image: Path, seconds: int) -> None:
    for path in (image, *image.rglob("*")):
        os.utime(path, (seconds, seconds), follow_symlinks=False)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
