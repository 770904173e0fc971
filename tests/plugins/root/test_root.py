"""root: what relative paths count from."""

from pathlib import Path

import pytest

from dnsserver.plugins.root import setup
from tests.plugins.helpers import directive, refused, site
from tests.runtime.helpers import ask, data, server_of


@pytest.mark.parametrize(
    ("text", "folder"),
    [("root /none", "/none"), ("root sub", "/base/sub"), ("root /a\nroot /b", "/b")],
)
def test_folder(text: str, folder: str) -> None:
    assert setup(directive(text), site(directory=Path("/base"))).directory == Path(folder)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("root", "Wrong argument count or unexpected line ending after 'root'"),
        ("root a b", "Wrong argument count or unexpected line ending after 'b'"),
        (
            "root /etc/hosts/x",
            "unable to access root path '/etc/hosts/x': stat /etc/hosts/x: not a directory",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/root: Corefile:2 - Error during parsing: {error}"


async def test_plugins_behind_it_take_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "names").write_text("10.0.0.1 a.example.org\n")
    text = f".:0 {{\nbind 127.0.0.1\nroot {tmp_path}/data\nhosts names\n}}"
    async with server_of(text) as running:
        assert data(await ask(running.endpoints[0][1], "a.example.org")) == ["A 10.0.0.1"]
