"""README.md: its examples are run as far as no cluster is needed. The image is built by tests/image; of the two
commands at the top, one runs this test, and tests/end_to_end/test_demo.py runs the other's server."""

import re
import subprocess
from pathlib import Path

import pytest

from dnsserver.cli import COMMANDS
from dnsserver.commands import check, compare
from tests.chart.rendering import KUBE_VERSION, helm
from tests.docs.pages import Command, commands, headings
from tests.end_to_end.commands import finish
from tests.support.process import PATIENCE_S, REPOSITORY, environment
from tests.testing.test_docs import pytest_words

PAGE = REPOSITORY / "README.md"
TEXT = PAGE.read_text()
COMMANDS_HERE = commands(PAGE)
#: The section, in the order in which it is followed.
INSTALL = (
    *("buildah build", "kubectl -n", "dnsserver check", "helm -n", "OLD=$(kubectl -n", "NEW=$(kubectl -n"),
    *("dnsserver compare", "kubectl -n", "kubectl -n"),
)


def starting_with(words: str) -> Command:
    (found,) = (command for command in COMMANDS_HERE if command.text.startswith(words))
    return found


def test_the_install_section_is_in_order() -> None:
    install = headings(TEXT)["install-in-a-cluster"]
    lines = re.findall(r"^ *\$ (\S+ \S+)", install, re.MULTILINE)
    assert tuple(lines) == INSTALL


def test_python_example(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    (tmp_path / "test_example.py").write_text(example)
    (tmp_path / "zones").symlink_to(REPOSITORY / "zones")
    done = subprocess.run(
        [*pytest_words(), "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_explain_says_what_is_shown() -> None:
    command = starting_with(".venv/bin/dnsserver explain")
    shown = TEXT.partition(f"$ {command.text}\n")[2].partition("```")[0]
    done = finish(*command.words[1:], cwd=REPOSITORY)
    assert (done.returncode, done.stdout) == (1, shown)


@pytest.mark.tool("helm")
def test_the_chart_renders_with_these_values() -> None:
    words = starting_with("helm -n kube-system install").words
    text = helm("template", *words[words.index("install") + 1 :], "--kube-version", KUBE_VERSION)
    assert "registry.example/dnsserver:" in text
    assert "kind: Service\n" not in text


def test_commands_are_understood() -> None:
    for command, parser in (("dnsserver check", check), ("dnsserver compare", compare)):
        assert parser._parser().parse_args(starting_with(command).words[2:])
    named = set(re.findall(r"`dnsserver ([a-z]+)", TEXT))
    assert named >= {"explain", "resolve", "names", "check", "compare"}
    assert named <= COMMANDS.keys()


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([\w/.-]+\.(?:md|png))(?:#([\w-]+))?\)", TEXT)
    assert len(links) > 12
    for name, anchor in links:
        path = REPOSITORY / name
        assert path.exists(), name
        assert not anchor or anchor in headings(path.read_text()), f"{name}#{anchor}"
