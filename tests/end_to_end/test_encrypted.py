"""DNS over TLS and HTTPS by the clients that people have, with the server as a process of its own, or several."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.kube_api.pki import Pki, make_pki
from tests.support.process import ServerProcess, free_port
from tests.support.tools import must_run, run, tool
from tests.transports.test_doh import TEXT

pytestmark = pytest.mark.tool("kdig", "dig", "curl", "nghttp")

COREFILE = """
tls://.:{tls} https://.:{https} {{
    bind 127.0.0.1
    tls server.crt server.key
    prometheus 127.0.0.1:{metrics}
    whoami
}}
https://.:{http} {{
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    whoami
}}
"""


@dataclass(frozen=True)
class Running:
    """A server, and its ports."""

    pki: Pki
    process: ServerProcess
    tls: int
    https: int
    http: int
    metrics: int

    def url(self, target: str = f"/dns-query?dns={TEXT}") -> str:
        return f"https://localhost:{self.https}{target}"

    def curl(self, *arguments: str) -> str:
        """Version of HTTP, status and what else *arguments* print."""
        shown = "%{http_version} %{http_code} %header{content-type} %header{cache-control}"
        return must_run(
            [tool("curl"), "-sS", "--cacert", self.pki.ca.cert, "-o", os.devnull, "-w", shown, *arguments]
        )


@pytest.fixture(scope="module", params=["0", "2"], ids=["one process", "workers"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("encrypted")
    pki = make_pki(folder)
    ports = {name: free_port() for name in ("tls", "https", "http", "metrics")}
    (folder / "Corefile").write_text(COREFILE.format(**ports))
    with ServerProcess("-conf", "Corefile", "--workers", request.param, cwd=folder) as process:
        process.wait_for(f"https://.:{ports['http']} on 127.0.0.1")
        yield Running(pki, process, **ports)


def kdig(running: Running, port: int, *options: str) -> str:
    ca = f"+tls-ca={running.pki.ca.cert}"
    return must_run(
        [tool("kdig"), "@127.0.0.1", "-p", str(port), ca, "+tls-hostname=localhost", *options, "example.org"]
    )


def test_kdig_over_tls(running: Running) -> None:
    shown = kdig(running, running.tls, "+tls")
    assert "status: NOERROR" in shown
    assert re.search(r"TLS session \(TLS1\.3\)", shown)
    assert ";; Received 468 B" in shown, "kdig pads, and so do we"


@pytest.mark.parametrize("option", ["+https", "+https-get"])
def test_kdig_over_https(option: str, running: Running) -> None:
    shown = kdig(running, running.https, option)
    assert "status: NOERROR" in shown
    assert "HTTP/2" in shown


@pytest.mark.parametrize(
    ("option", "port"),
    [("+tls", "tls"), ("+https", "https"), ("+https-get", "https"), ("+http-plain", "http")],
)
def test_dig(option: str, port: str, running: Running) -> None:
    command = [
        tool("dig"),
        option,
        "@127.0.0.1",
        "-p",
        str(getattr(running, port)),
        "example.org",
        "+tries=1",
    ]
    assert "status: NOERROR" in must_run(command)


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl(option: str, version: str, running: Running, tmp_path: Path) -> None:
    good = f"{version} 200 application/dns-message max-age=0"
    assert running.curl(option, running.url()) == good
    (tmp_path / "question").write_bytes(
        bytes.fromhex("000001000001000000000000076578616d706c65036f72670000010001")
    )
    post = ("-H", "content-type: application/dns-message", "--data-binary", f"@{tmp_path}/question")
    assert running.curl(option, *post, running.url("/dns-query")) == good
    text = "text/plain; charset=utf-8 "
    assert running.curl(option, running.url("/other")) == f"{version} 404 {text}"
    assert running.curl(option, running.url("/dns-query?dns=%%%")) == f"{version} 400 {text}"
    assert running.curl(option, "-d", "x", running.url("/dns-query")) == f"{version} 415 {text}"
    assert running.curl(option, "-X", "DELETE", running.url()) == f"{version} 405 {text}"
    (tmp_path / "large").write_bytes(bytes(100_000))
    assert (
        running.curl(option, *post[:-1], f"@{tmp_path}/large", running.url("/dns-query"))
        == f"{version} 413 {text}"
    )


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")])
def test_curl_without_tls(option: str, version: str, running: Running) -> None:
    shown = running.curl(option, f"http://127.0.0.1:{running.http}/dns-query?dns={TEXT}")
    assert shown == f"{version} 200 application/dns-message max-age=0"


def test_nghttp_asks_much_at_once(running: Running) -> None:
    shown = must_run([tool("nghttp"), "-nsm", "90", "--no-verify-peer", running.url()])
    assert len(re.findall(r" 200 +\d+ /dns-query", shown)) == 90


def test_metrics(running: Running) -> None:
    running.curl(running.url())
    running.curl(running.url("/other"))
    kdig(running, running.tls, "+tls")
    wanted = (
        rf'coredns_dns_https_responses_total{{server="https://127.0.0.1:{running.https}",status="200"}}',
        rf'coredns_dns_https_responses_total{{server="https://127.0.0.1:{running.https}",status="404"}}',
        f'coredns_dns_requests_total{{family="1",proto="tcp",server="tls://127.0.0.1:{running.tls}",type="A",view="",zone="."}}',
        f'coredns_plugin_enabled{{name="whoami",server="https://127.0.0.1:{running.https}",view="",zone="."}}',
    )
    deadline = time.monotonic() + 20
    while True:  # workers tell their numbers twice a second
        shown = run([tool("curl"), "-s", f"127.0.0.1:{running.metrics}/metrics"]).stdout
        missing = [series for series in wanted if series not in shown]
        if not missing:
            return
        assert time.monotonic() < deadline, f"{missing} not in\n{shown}"
        time.sleep(0.1)


def test_banner(running: Running) -> None:
    shown = running.process.stdout
    for line in (f"https://.:{running.https}", f"https://.:{running.http}", f"tls://.:{running.tls}"):
        assert f"{line} on 127.0.0.1\n" in shown
