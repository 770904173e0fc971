"""The Corefile of the node, made anew when one of the two ConfigMaps changes."""

import logging
from pathlib import Path

from dnsserver.node.errors import ErrorType, NodeError
from dnsserver.node.kube_dns import KubeDns, unknown_key
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
        self._seen: tuple[bytes, dict[str, bytes] | str] | None = None
        self.text = ""
        """As it was written; "": it never was."""

    def update(self) -> bool:
        """Write the file if it is to be another one; whether it was. Raises NodeError, once for each mistake."""
        base = _octets(self._settings.base_corefile)
        data = _data(self._settings.kube_dns)
        if (base, data) == self._seen:
            return False
        self._seen = base, data
        wrong = self._update_kube_dns(data)
        changed = self._write(self._filled(_text(str(self._settings.base_corefile), base)))
        if wrong is not None:
            raise wrong
        return changed

    def _update_kube_dns(self, data: dict[str, bytes] | str) -> NodeError | None:
        """What is wrong with it."""
        try:
            if isinstance(data, str):
                raise NodeError(ErrorType.CONFIGMAP, data)
            texts = {name: _text(name, octets) for name, octets in data.items()}
            self._kube_dns = KubeDns.from_data(texts)
        except NodeError as error:
            return error
        return unknown_key(texts)

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


def _data(folder: Path | None) -> dict[str, bytes] | str:
    """The keys of a ConfigMap that is mounted there, those that begin with a dot aside: they are kubelet's own. A text:
    why it cannot be read."""
    if folder is None:
        return {}
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except FileNotFoundError:  # the volume is optional
        return {}
    except OSError as error:
        return f"{folder}: {error.strerror}"
    try:
        return {path.name: _octets(path) for path in found}
    except NodeError as error:
        return str(error)


def _octets(path: Path) -> bytes:
    """As many as a text may have, and one."""
    try:
        with path.open("rb") as file:
            return file.read(TEXT_MAX + 1)
    except OSError as error:
        raise NodeError(ErrorType.CONFIGMAP, f"{path}: {error.strerror}") from None


def _text(name: str, octets: bytes) -> str:
    if len(octets) > TEXT_MAX:
        raise NodeError(ErrorType.CONFIGMAP, f"{name}: more than {TEXT_MAX} octets are in no ConfigMap")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise NodeError(ErrorType.CONFIGMAP, f"{name}: not UTF-8") from None


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
