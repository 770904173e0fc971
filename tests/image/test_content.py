"""What is in the image, and what is not."""

import stat
from pathlib import Path

import pytest

from tests.image.building import Image
from tests.support.tools import must_run, run, tool

pytestmark = [pytest.mark.tool("apt-get", "buildah", "debootstrap", "chroot", "getcap"), pytest.mark.mount]
#: Octets of the files. Measured: 93 MiB; what is more has come in unseen.
SIZE_MOST = 110 << 20
#: Programs that an intruder would like to find.
UNWANTED = {
    "sh",
    "bash",
    "dash",
    "apt",
    "dpkg",
    "pip",
    "pip3",
    "gcc",
    "cc",
    "ld",
    "perl",
    "setcap",
    "su",
    "mount",
}
EVERY_MODULE = """
import importlib, pkgutil
import dnsserver
for found in pkgutil.walk_packages(dnsserver.__path__, "dnsserver."):
    importlib.import_module(found.name)
"""


def inside(root: Path, *command: str) -> str:
    """Standard output of *command*, run as the image's user without anything mounted."""
    return must_run((tool("chroot"), "--userspec", "65532:65532", root, *command))


def test_its_configuration(image: Image) -> None:
    config = image.config()
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/bin/dnsserver"]
    assert config["WorkingDir"] == "/"
    assert set(config["ExposedPorts"]) == {"53/tcp", "53/udp", "9153/tcp"}
    labels = {name.removeprefix("org.opencontainers.image.") for name in config["Labels"]}
    assert {"title", "description", "documentation", "version", "revision"} <= labels


def test_the_capability_is_permitted_only(root: Path) -> None:
    said = must_run((tool("getcap"), "-r", str(root)))
    assert [line.split(maxsplit=1)[1] for line in said.splitlines()] == [
        "cap_net_bind_service,cap_net_admin=p"
    ]


def test_no_file_is_more_than_it_needs(root: Path) -> None:
    modes = {path: path.lstat().st_mode for path in root.rglob("*") if not path.is_symlink()}
    assert [path for path, mode in modes.items() if mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [path for path, mode in modes.items() if mode & stat.S_IWOTH] == []


def test_no_tools_and_no_tests(root: Path) -> None:
    programs = {path.name for folder in ("usr/bin", "usr/sbin") for path in (root / folder).iterdir()}
    assert programs & UNWANTED == set()
    folders = {path.name for path in root.rglob("*") if path.is_dir()}
    assert folders & {"test", "tests", "ensurepip", "pip", "idlelib", "tkinter"} == set()
    assert not (root / "tmp").exists()


def test_its_size(root: Path) -> None:
    assert sum(path.lstat().st_size for path in root.rglob("*") if path.is_file()) < SIZE_MOST


def test_every_module_has_what_it_imports(root: Path) -> None:
    inside(root, "/usr/bin/python3", "-I", "-W", "error", "-c", EVERY_MODULE)


def test_byte_code_is_there_and_is_never_written(root: Path) -> None:
    sources = [path for path in root.rglob("*.py") if "dnsserver" in path.parts]
    assert sources
    assert [
        path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
    ] == []
    flags = {path.read_bytes()[4:8] for path in root.rglob("*.pyc")}
    assert flags == {b"\1\0\0\0"}, "hash-based, and not checked (PEP 552)"


def test_certificates_are_where_clients_look(root: Path) -> None:
    code = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'])"
    assert int(inside(root, "/usr/bin/python3", "-c", code)) > 100


def test_licences_and_what_scanners_read(root: Path) -> None:
    described = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "zlib1g", "libexpat1"} <= described
    assert [name for name in described if not (root / "usr/share/doc" / name / "copyright").is_file()] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [(("-version",), "dnsserver-"), (("-plugins",), "dns.kubernetes"), (("-h",), "-conf")],
    ids=str,
)
def test_the_command_line_is_that_of_coredns(words: tuple[str, ...], said: str, root: Path) -> None:
    assert said in inside(root, "/usr/bin/dnsserver", *words)


def test_an_unknown_flag_is_refused(root: Path) -> None:
    done = run((tool("chroot"), "--userspec", "65532:65532", root, "/usr/bin/dnsserver", "-cpu", "1"))
    assert done.returncode == 2
