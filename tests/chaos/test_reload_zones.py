"""Going over to another Corefile with zones that the server has transferred or signs: they are there at any time."""

import signal
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.chaos.server import Served
from tests.chaos.test_reload import named, served
from tests.support.process import wait_until
from tests.support.zone_keys import make_key

both = pytest.mark.parametrize("workers", [0, 2], ids=["one process", "several"])
ZONE = "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.1\n"
NAME = "www.example.org"
#: Client ports; both workers have their share of so many.
PORTS = 20


def found(server: Served, name: str = NAME) -> dns.message.Message:
    """What `server` says with the records that prove it."""
    query = dns.message.make_query(name, "A", want_dnssec=True)
    return dns.query.udp(query, "127.0.0.1", timeout=5, port=server.port)


def there(server: Served) -> bool:
    try:
        return found(server).rcode() == dns.rcode.NOERROR
    except dns.exception.Timeout:
        return False


def go_over(server: Served, blocks: str, name: str) -> None:
    """To *blocks* and one more block, while the zone is asked for all the time."""
    server.change(blocks=f"{blocks}{named(name).removeprefix('}').strip()}\n}}\n")
    before = server.stdout.count("[INFO] Reloading complete")
    server.send(signal.SIGUSR1)
    while server.stdout.count("[INFO] Reloading complete") == before:
        assert "[ERROR] Restart failed" not in server.stdout, server.told()
        assert there(server)
    assert there(server)
    assert served(server, name)


@both
def test_transferred_zone(workers: int, tmp_path: Path) -> None:
    """Also when nobody is there to transfer it from any more."""
    (tmp_path / "db").write_text(ZONE)
    source = "example.org:PORT {\nbind 127.0.0.1\nfile db\ntransfer {\nto *\n}\n}\n"
    with Served(tmp_path, workers=0, blocks=source, state=tmp_path / "primary") as primary:
        primary.up()
        blocks = (
            "example.org:PORT {\nbind 127.0.0.1\nsecondary {\n"
            f"transfer from 127.0.0.1:{primary.port}\n}}\n}}\n"
        )
        with Served(tmp_path, workers=workers, blocks=blocks) as server:
            server.up()
            wait_until(lambda: all(there(server) for _ in range(PORTS)), server.told)
            go_over(server, blocks, "first")
            assert primary.stop() == 0
            go_over(server, blocks, "second")
            go_over(server, blocks, "third")
            assert server.stop() == 0


@both
def test_signed_zone(workers: int, tmp_path: Path) -> None:
    """Both generations may sign: what is served is one of the two files, and whole."""
    (tmp_path / "db").write_text(ZONE)
    key = make_key(tmp_path)
    signing = f"sign db {{\nkey file {key}\ndirectory signed\n}}"
    reading = "file signed/db.example.org.signed {\nreload 200ms\n}"
    blocks = f"example.org:PORT {{\nbind 127.0.0.1\n{signing}\n{reading}\n}}\n"
    (tmp_path / "signed").mkdir()
    with Served(tmp_path, workers=workers, blocks=blocks) as server:
        server.up()
        wait_until(lambda: all(there(server) for _ in range(PORTS)), server.told)
        for name in ("first", "second"):
            go_over(server, blocks, name)
            types = {rrset.rdtype for rrset in found(server).answer}
            assert types == {dns.rdatatype.A, dns.rdatatype.RRSIG}
        assert server.stop() == 0
        assert [path.name for path in (tmp_path / "signed").iterdir()] == ["db.example.org.signed"]
