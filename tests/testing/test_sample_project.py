"""The wheel, in an empty environment, used by another project's suite.

The wheel itself is installed afresh, with its entry points, by pip. The libraries are those of the environment that
these tests run in, by a path: so neither the network nor minutes are needed.
"""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, environment

SAMPLE = REPOSITORY / "tests" / "sample_project"
#: Seconds. Building takes the most.
PATIENCE_S = 180.0


def must_run(*words: str | Path, cwd: Path) -> str:
    env = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def sources() -> list[str]:
    package = REPOSITORY / "dnsserver"
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in found)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves files beside the sources."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, copy)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "dnsserver", copy / "dnsserver", ignore=ignored)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    must_run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, copy, cwd=copy)
    return next(out.glob("dnsserver-*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of an environment with the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    found = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", found)
    must_run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    libraries = next(folder.glob("lib/python*/site-packages")) / "libraries.pth"
    libraries.write_text("".join(f"{path}\n" for path in sys.path if "site-packages" in path))
    return found


def test_the_wheel_has_every_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = sorted(name for name in opened.namelist() if name.startswith("dnsserver/"))
    assert names == sources()


def test_it_is_the_wheel_that_is_used(python: Path, tmp_path: Path) -> None:
    place = must_run(python, "-c", "import dnsserver; print(dnsserver.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(python.parent.parent)
    assert "cluster_dns" in must_run(python, "-m", "pytest", "--markers", cwd=tmp_path)


def test_the_sample_projects_suite(python: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
    assert "6 passed" in must_run(
        python, "-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=", cwd=project
    )


def test_the_program_is_there(python: Path, tmp_path: Path) -> None:
    program = python.parent / "dnsserver"
    assert "usage: dnsserver serve" in must_run(program, "serve", "--help", cwd=tmp_path)
