"""Says what relative paths of the plugins behind it count from."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError. A folder that does not exist may appear later."""
    for each in directive.occurrences:
        each.exactly(1)
        each.no_properties()
    occurrence = directive.last()
    folder = site.directory / occurrence.one().text
    try:
        folder.stat()
    except FileNotFoundError:
        return Plugin(name="root", directory=folder)
    except OSError as error:
        reason = f"stat {folder}: {str(error.strerror).lower()}"  # as Go has the system's words
        raise occurrence.error(f"unable to access root path '{folder}': {reason}") from None
    return Plugin(name="root", directory=folder)
