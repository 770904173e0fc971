"""Imports point one way (docs/architecture.md, "Layers"), and each library is imported in its one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "dnsserver"

#: Lowest first. A package may import those on lower lines, itself, and none beside it on its own line.
LAYERS = (
    ("wire",),
    ("zone",),
    ("answering",),
    ("store",),
    ("explaining",),
    ("sources", "transports", "config", "observability", "languages"),
    ("plugins", "faults", "stubs"),
    ("runtime", "comparing"),
    ("node",),
    ("testing", "commands"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

#: Third-party library -> the places that may import it.
LIBRARIES = {
    "dnslib": ("wire",),
    "dns": ("sources/zonefile", "sources/signing", "faults", "testing/asking.py"),
    "cryptography": ("sources/signing",),
    "asyncio_dgram": ("transports",),
    "ifaddr": ("transports",),
    "kubernetes": ("sources/kubernetes",),
    "aiohttp": ("sources/kubernetes", "testing/kube_api"),
    "msgspec": ("sources", "store", "observability", "testing/kube_api"),
    "lmdb": ("store/lmdb",),
    "yaml": ("sources/manifests", "plugins/prometheus"),
    "watchfiles": ("sources/manifests",),
    "prometheus_client": ("observability",),
    "h11": ("observability", "transports"),
    "h2": ("transports",),
    "hyperframe": ("transports",),
    "re2": ("languages",),
    "jsonpatch": ("testing/kube_api",),
    "pytest": ("testing/pytest_plugin.py",),
    "pyroute2": ("node/interface.py", "node/rules.py"),
}

#: Packages that hold values and rules only: what they know comes in as arguments.
PURE = ("wire", "zone", "answering", "explaining")
IMPURE_MODULES = frozenset(
    "asyncio socket ssl select selectors time datetime logging os io pathlib threading random secrets".split()
)

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Dotted names that *path* imports, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def package_of(path: Path) -> str:
    return place(path).split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=place)
def test_imports_point_one_way(path: Path) -> None:
    own = package_of(path)
    if own == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "dnsserver" or len(parts) < 2 or parts[1] not in RANK:
            continue
        assert parts[1] == own or RANK[parts[1]] < RANK[own], f"{place(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_libraries_stay_in_their_place(path: Path) -> None:
    for name in imports(path):
        places = LIBRARIES.get(name.split(".")[0])
        if places is not None:
            assert place(path).startswith(places), f"{place(path)} imports {name}, which belongs in {places}"


@pytest.mark.parametrize("path", [path for path in FILES if package_of(path) in PURE], ids=place)
def test_pure_packages_know_no_world(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE_MODULES


def test_every_package_has_a_layer() -> None:
    assert {package_of(path) for path in FILES} - {"__init__"} == set(RANK)


def test_only_the_command_line_prints() -> None:
    printing = [
        place(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert set(printing) <= {"commands/printing.py"}
