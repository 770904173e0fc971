"""Going over to another Corefile with listeners of TLS and HTTPS, asked by kdig; and what becomes of connections."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.chaos.server import Served
from tests.chaos.test_stopping import connecting
from tests.support.kube_api.pki import Pki, make_pki
from tests.support.process import PATIENCE_S, free_port
from tests.support.tools import run, tool

both = pytest.mark.parametrize("workers", [0, 2], ids=["one process", "several"])


@dataclass(frozen=True)
class Encrypted:
    """The ports of a server whose certificate is that of one of two authorities."""

    tls: int
    https: int
    pkis: dict[str, Pki]

    def blocks(self, authority: str, *, https: bool = True) -> str:
        pki = self.pkis[authority]
        certificate = f"tls {pki.server.cert} {pki.server.key}"
        schemes = {"tls": self.tls, **({"https": self.https} if https else {})}
        encrypted = [f"{scheme}://.:{port} {{\n{certificate}" for scheme, port in schemes.items()]
        return "".join(f"{head}\nbind 127.0.0.1\nwhoami\n}}\n" for head in (".:PORT {", *encrypted))

    def asked(self, option: str, authority: str) -> bool:
        """Whether kdig, which trusts this *authority* alone, has an answer."""
        port = self.tls if option == "+tls" else self.https
        trust = (f"+tls-ca={self.pkis[authority].ca.cert}", "+tls-hostname=localhost")
        where = ("@127.0.0.1", "-p", str(port), "+retry=0", "+timeout=5")
        done = run([tool("kdig"), *where, option, *trust, "example.org"])
        return "status: NOERROR" in done.stdout


@pytest.fixture
def encrypted(tmp_path: Path) -> Encrypted:
    pkis = {}
    for name in ("old", "new"):
        folder = tmp_path / name
        folder.mkdir()
        pkis[name] = make_pki(folder)
    return Encrypted(free_port(), free_port(), pkis)


@pytest.mark.tool("kdig", "openssl")
@both
def test_certificates_and_blocks_that_change(workers: int, encrypted: Encrypted, tmp_path: Path) -> None:
    with Served(tmp_path, workers=workers, blocks=encrypted.blocks("old")) as server:
        server.up()
        assert encrypted.asked("+tls", "old")
        assert encrypted.asked("+https", "old")
        server.change(blocks=encrypted.blocks("new"))
        server.reload()
        for option in ("+tls", "+https"):
            assert encrypted.asked(option, "new")
            assert not encrypted.asked(option, "old")
        server.change(blocks=encrypted.blocks("new", https=False))
        server.reload()
        assert connecting(encrypted.https) == "refused"
        assert encrypted.asked("+tls", "new")
        server.change(blocks=encrypted.blocks("old"))
        server.reload()
        assert encrypted.asked("+https", "old")
        assert encrypted.asked("+tls", "old")
        assert server.stop() == 0
        assert server.stderr == ""


@both
def test_certificate_that_is_gone(workers: int, encrypted: Encrypted, tmp_path: Path) -> None:
    with Served(tmp_path, workers=workers, blocks=encrypted.blocks("old")) as server:
        server.up()
        encrypted.pkis["new"].server.cert.unlink()
        server.change(blocks=encrypted.blocks("new"))
        server.reload("[ERROR] Restart failed: ")
        assert "could not load TLS cert" in server.stdout
        assert encrypted.asked("+tls", "old")
        assert server.stop() == 0


@both
def test_idle_connection_is_closed(workers: int, tmp_path: Path) -> None:
    """With an end, not with a reset; whoever asks then connects anew (RFC 7766 section 6.2.3)."""
    with Served(tmp_path, workers=workers, blocks=".:PORT {\nbind 127.0.0.1\nwhoami\n}\n") as server:
        server.up()
        query = dns.message.make_query("example.org", "A")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle:
            assert dns.query.tcp(query, "127.0.0.1", sock=idle, timeout=5).id == query.id
            idle.settimeout(PATIENCE_S)
            server.send(signal.SIGUSR1)
            assert idle.recv(1) == b""
        server.wait_for("[INFO] Reloading complete")
        assert server.ask("example.org", tcp=True).answer == []
        assert server.stop() == 0
        assert server.stderr == ""
