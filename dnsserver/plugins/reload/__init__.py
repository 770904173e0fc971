"""Goes over to the Corefile as it is now, when it has changed."""

import random

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site
from dnsserver.plugins.reload.settings import ReloadSettings
from dnsserver.plugins.reload.watching import Watch


def setup(directive: Directive, site: Site) -> Plugin:
    settings = ReloadSettings.from_directive(directive)
    watch = Watch(site.server, settings.period_s(random.random()))
    return Plugin(name="reload", follow=watch.following, metrics=watch.families, running=watch.tell)
