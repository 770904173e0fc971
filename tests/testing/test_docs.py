"""docs/testing.md: every example is run as it stands there, but for the port, which is another one each time."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.support.process import REPOSITORY, environment, free_port
from tests.support.tools import tool

PAGE = REPOSITORY / "docs" / "testing.md"
#: Seconds. Compiling a Go test takes the most.
PATIENCE_S = 120.0

_SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```\w+ (?P<name>\S+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

#: Title of each section with files -> its files, whose names stand behind the language.
SECTIONS = {
    section["title"]: {found["name"]: found["body"] for found in _FILE.finditer(section["body"])}
    for section in _SECTION.finditer(PAGE.read_text())
}
EXAMPLES = {title: files for title, files in SECTIONS.items() if files}


@pytest.fixture
def around(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has installed the package, with the programs of the examples."""
    programs = tmp_path / "programs"
    programs.mkdir()
    command = programs / "dnsserver"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dnsserver "$@"\n')
    command.chmod(0o755)
    paths = [str(programs), *{str(Path(tool(name)).parent) for name in ("dig", "helm", "go")}]
    return {**environment(), "PATH": os.pathsep.join((*paths, os.environ["PATH"])), "GOFLAGS": "-mod=mod"}


def written(title: str, folder: Path) -> dict[str, str]:
    """The files of the section, in *folder*."""
    port = str(free_port())
    files = {name: body.replace("1053", port) for name, body in EXAMPLES[title].items()}
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    return files


def must_run(words: list[str], folder: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def pytest_words() -> list[str]:
    # The plugin by its module: this checkout need not be installed.
    plugin = ["-p", "no:dnsserver", "-p", "dnsserver.testing.pytest_plugin"]
    return [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *plugin,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "-p",
        "no:xdist",
    ]


def test_there_are_five_examples() -> None:
    assert [title.partition(".")[0] for title in EXAMPLES] == ["1", "2", "3", "4", "5"]


@pytest.mark.tool("dig", "helm", "go")
@pytest.mark.parametrize("title", list(EXAMPLES))
def test_example(title: str, around: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    files = written(title, folder)
    ran = 0
    if any(name.startswith("test_") and name.endswith(".py") for name in files):
        assert " passed" in must_run(pytest_words(), folder, around)
        ran += 1
    if any(name.endswith(".go") for name in files):
        (folder / "go.mod").write_text("module example.org/shop\n\ngo 1.19\n")
    for name in files:
        if name.endswith(".sh"):
            must_run(["bash", "-e", name], folder, around)
            ran += 1
        elif ".github" in name:
            ran += run_workflow(files[name], folder, around)
    assert ran


def run_workflow(text: str, folder: Path, env: Mapping[str, str]) -> int:
    """The steps that run something, as GitHub's runners do (`bash -e FILE`), but for the installation; how many."""
    ran = 0
    for job in yaml.safe_load(text)["jobs"].values():
        for number, step in enumerate(job["steps"]):
            if "run" in step and step["name"] != "Install":
                script = folder / f"step-{number}.sh"
                script.write_text(step["run"])
                must_run(["bash", "-e", script.name], folder, env)
                ran += 1
    return ran
