"""The DaemonSet of NodeLocal DNSCache with another image: its command line and what is mounted, as it stands there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.node.machine import BASE, ENVIRONMENT, KUBE_DNS, LINK_LOCAL, SETTLED, WEB, WEB_AT, Machine
from tests.support.process import REPOSITORY, ServerProcess
from tests.support.tools import tool

pytestmark = [pytest.mark.netns, pytest.mark.tool("ip", "nft", "dig", "curl", "unshare", "setpriv", "sh")]

#: What a container of these has besides NET_ADMIN: containerd's default set.
DEFAULT_CAPABILITIES = (
    "chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill"
    " audit_write"
).split()
#: /etc of the container: this machine's with the ConfigMaps in it.
MOUNTS = """\
mount -t tmpfs tmpfs {space} && mkdir {space}/upper {space}/work || exit 9
mount -t overlay overlay -o lowerdir=/etc,upperdir={space}/upper,workdir={space}/work /etc || exit 9
mkdir -p /etc/coredns /etc/kube-dns && cp {base} /etc/coredns/Corefile.base || exit 9
exec "$@"
"""


def container() -> dict[str, Any]:
    manifest = yaml.safe_load((Path(__file__).parent / "daemonset.yaml").read_text())
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


def installed(text: str) -> str:
    """As the add-on's installer fills its variables."""
    return text.replace("__PILLAR__LOCAL__DNS__", LINK_LOCAL).replace("__PILLAR__DNS__SERVER__", KUBE_DNS)


def test_other_image_in_the_same_daemonset(place: Machine, tmp_path: Path) -> None:
    stock = container()
    (tmp_path / "base").write_text(installed(BASE))
    space = tmp_path / "space"
    space.mkdir()
    added = [name.lower() for name in stock["securityContext"]["capabilities"]["add"]]
    allowed = ",".join(("-all", *(f"+{name}" for name in (*DEFAULT_CAPABILITIES, *added))))
    prefix = (
        *(*place.node.prefix, "env", *(f"{key}={value}" for key, value in ENVIRONMENT.items())),
        *(
            tool("unshare"),
            "--mount",
            tool("sh"),
            "-c",
            MOUNTS.format(space=space, base=tmp_path / "base"),
            "sh",
        ),
        *(tool("setpriv"), "--bounding-set", allowed, "--inh-caps", "-all"),
    )
    args = [installed(word) for word in stock["args"]]
    with ServerProcess(*args, prefix=prefix, cwd=REPOSITORY, state_dir=False) as dns:
        dns.wait_for(SETTLED)
        assert place.addresses() == [LINK_LOCAL, KUBE_DNS]
        for server in (LINK_LOCAL, KUBE_DNS):
            assert place.asks(server, WEB).data == WEB_AT
        assert place.asked(WEB) == ["tcp"]
        probe = stock["livenessProbe"]["httpGet"]
        url = f"http://{installed(probe['host'])}:{probe['port']}{probe['path']}"
        assert place.node.run(tool("curl"), "--silent", url)[1] == "OK"
        assert dns.stop() == 0, dns.told()
    assert place.addresses() == place.rules() == []
