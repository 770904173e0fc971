"""The pinned libraries of the image are those that the package asks for (`make requirements` renews them)."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.process import REPOSITORY

PINNED = REPOSITORY / "image" / "requirements.txt"


def pins() -> dict[str, tuple[Version, str]]:
    """Version and the lines of each library."""
    text = PINNED.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line[:1].isalnum()]
    found = {}
    for line in lines:
        name, version = re.split(r"==|\s", line)[:2]
        found[name] = (Version(version), line)
    return found


def wanted() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


def test_each_library_is_pinned_within_its_bounds() -> None:
    pinned = pins()
    wrong = [
        str(need)
        for need in wanted()
        if need.name.lower() not in pinned or not fits(need, pinned[need.name.lower()][0])
    ]
    assert not wrong, "run `make requirements`"


def fits(need: Requirement, version: Version) -> bool:
    return version in need.specifier


def test_each_file_is_known_by_its_hash() -> None:
    assert [line for _, line in pins().values() if "--hash=sha256:" not in line] == []


def test_no_index_is_named() -> None:
    assert "://" not in PINNED.read_text()
