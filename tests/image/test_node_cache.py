"""The DaemonSet of NodeLocal DNSCache, with another image and nothing else changed."""

from pathlib import Path

import pytest

from tests.image.building import Image
from tests.image.runtime import Constraints, bundle, running
from tests.node.machine import BASE, CLUSTER, ENVIRONMENT, KUBE_DNS, LINK_LOCAL, SETTLED, WEB, WEB_AT, machine
from tests.node.test_daemonset import DEFAULT_CAPABILITIES, container, installed

pytestmark = [
    pytest.mark.tool("apt-get", "buildah", "debootstrap", "dig", "ip", "nft", "runc"),
    pytest.mark.netns,
    pytest.mark.mount,
]


def test_other_image(image: Image, root: Path, tmp_path: Path) -> None:
    """As the image's own user, with what containerd gives a container and the NET_ADMIN of the manifest."""
    spec = container()
    config, kube_dns = tmp_path / "config", tmp_path / "kube-dns"
    config.mkdir()
    kube_dns.mkdir()
    (config / "Corefile.base").write_text(installed(BASE))
    resolv = tmp_path / "resolv.conf"  # the node's, as dnsPolicy says
    resolv.write_text(f"nameserver {CLUSTER}\n")
    added = spec["securityContext"]["capabilities"]["add"]
    user, group = image.config()["User"].split(":")
    limits = Constraints(
        user=(int(user), int(group)),
        capabilities=(*(name.upper() for name in DEFAULT_CAPABILITIES), *added),
        granted=False,
        mounts={"/etc/coredns": config, "/etc/kube-dns": kube_dns, "/etc/resolv.conf": resolv},
        environment=ENVIRONMENT,
    )
    words = [*image.config()["Entrypoint"], *map(installed, spec["args"])]
    with machine(tmp_path) as place:
        with running(tmp_path / "bundle", bundle(root, words, limits, place.node.name)) as dns:
            dns.wait_for(SETTLED)
            assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
            for server in (LINK_LOCAL, KUBE_DNS):
                assert place.asks(server, WEB).data == WEB_AT
            assert place.asked(WEB) == ["tcp"]
            dns.kill("TERM")
            assert dns.process.wait(20) == 0, repr(dns)
        assert place.addresses() == place.rules() == []
