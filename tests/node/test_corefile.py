"""The file that is made of the two ConfigMaps: when it is written, and what a mistake does."""

from pathlib import Path

import pytest

from dnsserver.node.corefile import TEXT_MAX, NodeCorefile
from dnsserver.node.errors import NodeError
from dnsserver.node.settings import NodeSettings
from tests.node.conftest import BASE


def put(settings: NodeSettings, text: str) -> None:
    """The ConfigMap's volume with this content: keys are links into a folder whose name begins with a dot."""
    assert settings.kube_dns is not None
    data = settings.kube_dns / "..data"
    data.mkdir(exist_ok=True)
    (data / "upstreamNameservers").write_text(text)
    link = settings.kube_dns / "upstreamNameservers"
    if not link.is_symlink():
        link.symlink_to(Path("..data") / "upstreamNameservers")


def test_written_when_something_changed(settings: NodeSettings) -> None:
    corefile = NodeCorefile(settings)
    assert corefile.update()
    assert "forward . /etc/resolv.conf" in settings.corefile.read_text()
    assert not corefile.update()
    put(settings, '["192.0.2.53"]')
    assert corefile.update()
    assert "forward . 192.0.2.53\n" in settings.corefile.read_text()
    settings.base_corefile.write_text(BASE.replace("bind", "errors\n bind"))
    assert corefile.update()
    assert "errors" in settings.corefile.read_text()
    assert not settings.corefile.with_name("Corefile.new").exists()


def test_mistake_in_kube_dns_leaves_what_was(settings: NodeSettings) -> None:
    """It is told once; the template is still followed."""
    corefile = NodeCorefile(settings)
    put(settings, '["192.0.2.53"]')
    corefile.update()
    put(settings, "[")
    with pytest.raises(NodeError, match="upstreamNameservers is no JSON"):
        corefile.update()
    assert not corefile.update()
    settings.base_corefile.write_text(BASE.replace("bind", "errors\n bind"))
    with pytest.raises(NodeError, match="upstreamNameservers is no JSON"):
        corefile.update()
    text = settings.corefile.read_text()
    assert "forward . 192.0.2.53\n" in text
    assert "errors" in text


@pytest.mark.parametrize("octets", [b"\xff\x00", b"x" * (TEXT_MAX + 1)], ids=["binary", "long"])
def test_kube_dns_that_is_no_text_does_not_end_the_start(settings: NodeSettings, octets: bytes) -> None:
    assert settings.kube_dns is not None
    (settings.kube_dns / "stubDomains").write_bytes(octets)
    corefile = NodeCorefile(settings)
    with pytest.raises(NodeError, match=r"stubDomains: (not UTF-8|more than)"):
        corefile.update()
    assert "forward . /etc/resolv.conf" in corefile.text
    assert not corefile.update(), "told once"


def test_kube_dns_that_cannot_be_read_leaves_what_was(settings: NodeSettings) -> None:
    assert settings.kube_dns is not None
    corefile = NodeCorefile(settings)
    put(settings, '["192.0.2.53"]')
    corefile.update()
    settings.kube_dns.rename(settings.kube_dns.with_name("aside"))
    settings.kube_dns.write_text("")
    with pytest.raises(NodeError, match="kube-dns: Not a directory"):
        corefile.update()
    assert "forward . 192.0.2.53" in corefile.text


def test_unknown_key_takes_no_others_along(settings: NodeSettings) -> None:
    corefile = NodeCorefile(settings)
    put(settings, '["192.0.2.53"]')
    assert settings.kube_dns is not None
    (settings.kube_dns / "stubdomains").write_text("{}")
    with pytest.raises(NodeError, match="unknown key 'stubdomains'; it may have stubDomains and"):
        corefile.update()
    assert "forward . 192.0.2.53" in corefile.text


def test_mistake_in_the_template_leaves_the_file(settings: NodeSettings) -> None:
    corefile = NodeCorefile(settings)
    corefile.update()
    before = settings.corefile.read_text()
    settings.base_corefile.write_text("__PILLAR__DNS__DOMAIN__:53 {\n}\n")
    with pytest.raises(NodeError, match="for the installer"):
        corefile.update()
    settings.base_corefile.write_bytes(b"\xff")
    with pytest.raises(NodeError, match="not UTF-8"):
        corefile.update()
    assert settings.corefile.read_text() == before


def test_no_template(settings: NodeSettings) -> None:
    settings.base_corefile.unlink()
    with pytest.raises(NodeError, match=r"Corefile\.base: No such file or directory"):
        NodeCorefile(settings).update()


def test_folder_that_cannot_be_written(settings: NodeSettings) -> None:
    """It is tried again: there may be room the next time."""
    corefile = NodeCorefile(settings)
    blocker = settings.corefile.with_name("Corefile.new")
    blocker.mkdir()
    with pytest.raises(NodeError, match="Is a directory; name a file in a folder that this user may write"):
        corefile.update()
    blocker.rmdir()
    assert corefile.update()


def test_kube_dns_volume_is_optional(settings: NodeSettings) -> None:
    assert settings.kube_dns is not None
    settings.kube_dns.rmdir()
    assert NodeCorefile(settings).update()
