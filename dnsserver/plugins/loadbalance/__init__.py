"""Changes the order of addresses from reply to reply."""

from dnsserver.config import Directive
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.loadbalance.handler import WEIGHED, Loadbalance
from dnsserver.plugins.loadbalance.settings import LoadbalanceSettings
from dnsserver.plugins.loadbalance.weights import WeightFile, WeightsError, WeightsOpenError
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site

_log = plugin_logger("loadbalance")


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = LoadbalanceSettings.from_directive(directive, site.directory)
    weights = None if settings.weights is None else _weights(directive, settings)

    def wrap(following: Handler) -> Handler:
        return Loadbalance(following, settings, weights)

    if weights is not None:
        leaves_alone = None if settings.prefer else lambda question: question.rtype not in WEIGHED
        return Plugin(name="loadbalance", wrap=wrap, leaves_alone=leaves_alone, lifespan=weights.lifespan)
    # With `prefer` the order hangs on the addresses themselves, so each reply has to be seen.
    repeats = Repeats.NEVER if settings.prefer else Repeats.SHUFFLED
    return Plugin(name="loadbalance", wrap=wrap, repeats=repeats)


def _weights(directive: Directive, settings: LoadbalanceSettings) -> WeightFile:
    """Read for the first time. A file that is not there may come, if it is looked at again."""
    assert settings.weights is not None
    weights = WeightFile(settings.weights, settings.reload_s)
    try:
        weights.read()
    except WeightsOpenError as error:
        if not settings.reload_s:
            raise directive.last().bare_error(str(error)) from None
        _log.warning("Failed to open weight file:%s. Will try again in %gs", error, settings.reload_s)
    except WeightsError as error:
        raise directive.last().bare_error(str(error)) from None
    return weights
