"""The Corefile of the node, made anew when one of the two ConfigMaps changes."""

import logging
from pathlib import Path

from dnsserver.node.errors import ErrorType, NodeError
from dnsserver.node.kube_dns import KubeDns
from dnsserver.node.settings import NodeSettings
from dnsserver.node.template import filled

LOG = logging.getLogger("dnsserver.node")

#: Octets. What a ConfigMap holds at most (1 MiB, Kubernetes' limit); what is longer is none.
TEXT_MAX = 1 << 20


class NodeCorefile:
    """The last one that was written. What is wrong with a ConfigMap leaves the one before in force."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self._kube_dns = KubeDns()
        self._seen: tuple[str, dict[str, str]] | None = None
        self.text = ""
        """As it was written; "": it never was."""

    def update(self) -> bool:
        """Write the file if it is to be another one; whether it was. Raises NodeError, once for each mistake."""
        settings = self._settings
        seen = _text(settings.base_corefile), _data(settings.kube_dns) if settings.kube_dns else {}
        if seen == self._seen:
            return False
        self._seen = seen
        base, data = seen
        wrong = None
        try:
            self._kube_dns = KubeDns.from_data(data)
        except NodeError as error:
            wrong = error
        changed = self._write(self._filled(base))
        if wrong is not None:
            raise wrong
        return changed

    def _filled(self, base: str) -> str:
        settings = self._settings
        return filled(
            base,
            self._kube_dns,
            addresses=[str(address) for address in settings.addresses],
            port=settings.port,
            cluster_dns=settings.cluster_dns,
            service=settings.upstream_service,
        )

    def _write(self, text: str) -> bool:
        if text == self.text:
            return False
        try:
            _write(self._settings.corefile, text)
        except NodeError:
            self._seen = None  # a full disk may have room the next time
            raise
        self.text = text
        LOG.info(
            "Updated Corefile with %d custom stubdomains and upstream servers %s",
            len(self._kube_dns.stub_domains),
            " ".join(self._kube_dns.upstream_servers) or "of the node",
        )
        return True


def _data(folder: Path) -> dict[str, str]:
    """The keys of a ConfigMap that is mounted there, those that begin with a dot aside: they are kubelet's own."""
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except FileNotFoundError:  # the volume is optional
        return {}
    except OSError as error:
        raise NodeError(ErrorType.CONFIGMAP, f"{folder}: {error.strerror}") from None
    return {path.name: _text(path) for path in found}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(TEXT_MAX + 1)
        if len(octets) > TEXT_MAX:
            raise NodeError(ErrorType.CONFIGMAP, f"{path}: more than {TEXT_MAX} octets are in no ConfigMap")
        return octets.decode()
    except OSError as error:
        raise NodeError(ErrorType.CONFIGMAP, f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NodeError(ErrorType.CONFIGMAP, f"{path}: not UTF-8") from None


def _write(path: Path, text: str) -> None:
    """In one step: the plugin `reload` may look at any time."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text)
        new.replace(path)
    except OSError as error:
        raise NodeError(
            ErrorType.CONFIGMAP,
            f"{path}: {error.strerror}; name a file in a folder that this user may write, such as one on an emptyDir"
            " volume (-conf)",
        ) from None
