"""tls: the certificate of a block's encrypted listeners."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.tls.settings import files_from
from dnsserver.plugins.tls.watching import Watch
from dnsserver.transports.certificates import CertificateError, Certificates


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError, also when the files make no certificate."""
    files = files_from(directive, site.directory)
    try:
        certificates = Certificates(files)
    except CertificateError as error:
        raise directive.last().bare_error(str(error)) from None
    watch = Watch(certificates)

    async def check() -> tuple[str, ...]:
        return (f"certificate {files.cert}, key {files.key}", f"client certificates: {_asked(certificates)}")

    return Plugin(name="tls", certificates=certificates, lifespan=watch.running, check=check)


def _asked(certificates: Certificates) -> str:
    files = certificates.files
    cas = "the system's CAs" if files.ca is None else str(files.ca)
    return f"{files.client_auth.value}, of {cas}" if files.verifies else files.client_auth.value
