"""Signed files of zones."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.sign.settings import zones_to_sign
from dnsserver.plugins.sign.signer import ZoneSigner


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    signer = ZoneSigner(zones_to_sign(directive, site.zones, site.directory), site.server.now)
    return Plugin(name="sign", follow=signer.running)
