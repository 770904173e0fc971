"""URLs of API servers: refused in the Corefile with file and line, and in words wherever else they come from."""

import json
from pathlib import Path

import pytest

from dnsserver.config import ConfigError, parse
from dnsserver.plugins.kubernetes.feeding import fed, feeds
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.sources.kubernetes.client import ApiServer, SourceError
from dnsserver.sources.kubernetes.settings import LiveSettings, url_problem
from dnsserver.store.keeping import InMemory


def settings(endpoint: str) -> KubernetesSettings:
    text = f".:53 {{\nkubernetes cluster.local {{\nendpoint {endpoint}\n}}\n}}\n"
    corefile = parse(text, file="Corefile", directory=Path(), directives={"kubernetes"}, environ={})
    directive = corefile.blocks[0].directive("kubernetes")
    assert directive is not None
    return KubernetesSettings.from_directive(directive, (), Path())


GOOD = (
    "http://127.0.0.1:8080",
    "https://api.example.org",
    "https://api.example.org.:6443/",
    "https://rancher.example.org/k8s/clusters/c-1",
    "https://[fd00::1]:6443",
    "http://kube_apiserver:8080",
    "https://bücher.example",
    "127.0.0.1:8080",
    "localhost",
)


@pytest.mark.parametrize("endpoint", GOOD)
def test_good(endpoint: str) -> None:
    assert settings(endpoint).access.endpoint == endpoint


BAD = {
    "http://a..b:80": "'a..b' is no host name",
    "http://127.0.0.1:99999": "Port out of range 0-65535",
    "http://127.0.0.1:0": "port 0 cannot be connected to",
    "http://127.0.0.1:http": "Port could not be cast to integer value",
    "ftp://127.0.0.1": "the scheme 'ftp' is neither http nor https",
    "://127.0.0.1": "the scheme '' is neither http nor https",
    "http://[::1": "Invalid IPv6 URL",
    "http://[x]:80": "'x' does not appear to be an IPv4 or IPv6 address",
    "http://10.0.0.300": "'10.0.0.300' does not appear to be an IPv4 or IPv6 address",
    "http://": "it has no host",
    "http://:80": "it has no host",
    '"http://a b"': "there is white space in it",
    "http://a%2fb": "'a%2fb' is no host name",
    "http://127.0.0.1?a=1": "it has more than scheme, host, port and path",
}


@pytest.mark.parametrize(("endpoint", "says"), BAD.items())
def test_bad(endpoint: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(endpoint)
    text = endpoint.strip('"')
    assert str(caught.value).startswith(
        "plugin/kubernetes: Corefile:3 - Error during parsing: "
        f"endpoint {text!r} is no URL of an API server: {says}"
    )


@pytest.mark.parametrize(
    "server", ["http://a..b:80", "ftp://127.0.0.1", "http://127.0.0.1:99999", "127.0.0.1"]
)
async def test_server_of_a_kubeconfig(server: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    content = {
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": server}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    path.write_text(json.dumps(content))
    api = ApiServer(LiveSettings(kubeconfig=path), environ={})
    with pytest.raises(SourceError) as caught:
        await api.connect()
    text = f"kubeconfig {path}: the URL of the API server, {server!r}, cannot be used: "
    assert str(caught.value).startswith(text)
    assert str(caught.value).endswith("; write https://HOST:PORT")


@pytest.mark.parametrize("host", ["http://a..b:80", "http://127.0.0.1:99999", "http://[::1"])
async def test_url_that_only_the_client_refuses(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own exceptions, whichever they are, leave in words."""
    monkeypatch.setattr("dnsserver.sources.kubernetes.client.url_problem", lambda _: "")
    api = ApiServer(LiveSettings(endpoint=host), environ={})
    await api.connect()
    try:
        with pytest.raises(SourceError, match=r"the URL of the API server, .* cannot be used: "):
            await api.get("/api/v1/services", {}, 1.0)
    finally:
        await api.close()


async def test_start_with_a_url_from_elsewhere_ends_in_words() -> None:
    """As an embedding program may set it."""
    found = settings("http://127.0.0.1")
    object.__setattr__(found, "access", LiveSettings(endpoint="http://a..b:80"))
    kept = InMemory(feeds(found), b"", lambda: 0.0)
    with pytest.raises(
        ConfigError, match=r"^plugin/kubernetes: endpoint http://a\.\.b:80: the URL of the API"
    ):
        async with fed(kept, found, lambda: 0.0):
            pass


def test_every_url_is_good_or_has_a_reason() -> None:
    for place in range(0x250):
        assert isinstance(url_problem(f"http://a{chr(place)}b:80"), str)
    assert url_problem("http://\ud800")
