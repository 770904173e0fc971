"""The manuals: every example of a Corefile loads, and every plugin is described in the same way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dnsserver.config import Corefile, parse
from dnsserver.plugins.table import ORDER, SETUPS
from dnsserver.runtime.sites import build_listeners, build_sites
from tests.plugins.helpers import FakeServer
from tests.support.kube_api.pki import make_pki
from tests.support.zone_keys import make_key

REPOSITORY = Path(__file__).resolve().parent.parent
PLUGINS = REPOSITORY / "dnsserver" / "plugins"
PAGES = (
    REPOSITORY / "README.md",
    REPOSITORY / "chart" / "README.md",
    *sorted(REPOSITORY.glob("docs/*.md")),
    *sorted(PLUGINS.glob("*/README.md")),
)

#: Sections of a plugin's README, in their order; others may stand in between.
SECTIONS = ("Name", "Description", "Syntax", "Examples")

_FENCE = re.compile(r"^```(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)(?P<path>[^)#\s]+)[^)]*\)")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced example, and where it stands."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{shown(self.page)}:{self.line}"


def shown(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def fences(page: Path, kind: str) -> Iterator[Block]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        if found["kind"] == kind:
            yield Block(page, text.count("\n", 0, found.start()) + 1, found["body"])


BLOCKS = tuple(block for page in PAGES if page.exists() for block in fences(page, "corefile"))


def parsed(block: Block, directory: Path) -> Corefile:
    """The example as a whole Corefile: with nothing around it, and no environment."""
    return parse(block.text, file=str(block), directory=directory, directives=ORDER, environ={})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files that examples of `tls` name."""
    made = make_pki(tmp_path_factory.mktemp("pki"))
    return {"cert.pem": made.server.cert, "key.pem": made.server.key, "ca.pem": made.ca.cert}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files that examples of `dnssec` and `sign` name."""
    folder = tmp_path_factory.mktemp("keys")
    made = make_key(folder)
    return {f"Kexample.org.+013+45330.{kind}": folder / f"{made}.{kind}" for kind in ("key", "private")}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_corefile_loads(
    block: Block, certificates: dict[str, Path], keys: dict[str, Path], tmp_path: Path
) -> None:
    for name, path in (certificates | keys).items():
        (tmp_path / name).symlink_to(path)
    corefile = parsed(block, tmp_path)
    # The page's imports have no files here, which is no more than a warning.
    assert [text for text in corefile.warnings if not text.startswith("No files matching import glob")] == []
    assert corefile.blocks, "no server block"
    assert all(found.directives for found in corefile.blocks), "a server block without directives"
    sites = build_sites(corefile, FakeServer(), tmp_path)
    assert build_listeners(sites)


def test_front_page_is_there() -> None:
    assert (REPOSITORY / "README.md").exists()


@pytest.mark.parametrize("name", sorted(SETUPS))
def test_plugin_is_described(name: str, tmp_path: Path) -> None:
    page = PLUGINS / name / "README.md"
    text = page.read_text()
    assert text.startswith(f"# {name}\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)
    assert re.search(rf"^## Name\n\n\*{name}\* - .+[.]$", text, re.MULTILINE), "one sentence says what it is"
    used = {
        directive.name
        for block in fences(page, "corefile")
        for server in parsed(block, tmp_path).blocks
        for directive in server.directives
    }
    assert name in used, "no example uses it"


def test_every_folder_of_a_plugin_is_in_the_table() -> None:
    assert {path.parent.name for path in PLUGINS.glob("*/__init__.py")} == set(SETUPS)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text()))
    targets = [found["path"] for found in _LINK.finditer(text)]
    assert [target for target in targets if not (page.parent / target).exists()] == []
