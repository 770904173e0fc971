"""What `lint` finds, and how much each kind of it matters (docs/names-lint-diff.md has a row for each code)."""

from dataclasses import dataclass
from enum import IntEnum

from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Place


class Severity(IntEnum):
    """`error`: something does not resolve, or the API refuses it. `warning`: most likely not what is meant. `info`: may
    be meant, or hangs on objects that are not here."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        return self.name.lower()


#: Every code, and its severity unless the finding has another.
SEVERITIES = {
    # The causes that `explain` names too (docs/causes.md).
    "selector-matches-nothing": Severity.WARNING,
    "slices-of-host-names": Severity.WARNING,
    "service-without-selector": Severity.WARNING,
    "target-port-missing": Severity.WARNING,
    "service-name-mismatch": Severity.ERROR,
    "external-name-is-address": Severity.ERROR,
    "external-name-invalid": Severity.ERROR,
    "external-name-not-complete": Severity.ERROR,
    "external-name-target-missing": Severity.ERROR,
    "external-name-loop": Severity.ERROR,
    # What nobody asks for by a name.
    "manifest": Severity.ERROR,
    "port-name-invalid": Severity.ERROR,
    "port-name-twice": Severity.ERROR,
    "port-name-long": Severity.INFO,
    "service-not-headless": Severity.WARNING,
    "subdomain-without-service": Severity.WARNING,
    "hostname-without-subdomain": Severity.INFO,
    "reference-not-found": Severity.ERROR,
    "host-network-dns": Severity.ERROR,
    "dns-policy-without-servers": Severity.ERROR,
    "ndots-invalid": Severity.ERROR,
    "hides-outside-name": Severity.WARNING,
    "endpoints-deprecated": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake at *place*; `advice` says what to do, "" where the sentence does."""

    code: str
    severity: Severity
    sentence: str
    place: Place
    advice: str = ""


def finding(code: str, place: Place, sentence: str, advice: str = "") -> Finding:
    return Finding(code, SEVERITIES[code], sentence, place, advice)


def of_cause(cause: Cause, place: Place, severity: Severity | None = None) -> Finding:
    """A cause that would be told if somebody asked."""
    chosen = SEVERITIES[cause.code] if severity is None else severity
    return Finding(cause.code, chosen, cause.sentence, place, cause.advice)
