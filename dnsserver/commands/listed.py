"""Names and their records as tables, JSON and master files."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from dnsserver.plugins.k8s_external.answers import NAME as EXTERNAL
from dnsserver.plugins.kubernetes.state_answers import KUBERNETES
from dnsserver.runtime.listing import ServedName
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.zone.reverse import is_reverse

#: The form of the JSON output; a form that readers of this one cannot read gets another number.
SCHEMA = "dnsserver.names/1"


class WrongZoneError(ValueError):
    """The zone asked for is not there."""


def table(rows: Iterable[ServedName]) -> Iterator[str]:
    """One record a line, in columns."""
    lines = [("NAME", "TTL", "TYPE", "VALUE", "ORIGIN")]
    for row in rows:
        lines += [(row.name, str(row.ttl), row.type, value, origin_of(row)) for value in row.values]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        yield "  ".join(
            (*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4])
        ).rstrip()


def origin_of(row: ServedName) -> str:
    """`Service default/web demo/web.yaml:3`; `hosts /etc/hosts` for records that are as they are given; for names of
    the cluster's zone itself, the zone."""
    named = str(row.objects[0]) if row.objects else f"zone {row.zone}" if _is_of_zone(row) else row.plugin
    return f"{named} {near(row.place)}".rstrip()


def near(place: str) -> str:
    """*place* from the working folder on, where it lies there."""
    path, separator, line = place.rpartition(":")
    if not line.isdecimal():
        path, separator, line = place, "", ""
    if not Path(path).is_relative_to(Path.cwd()):
        return place
    return f"{Path(path).relative_to(Path.cwd())}{separator}{line}"


def json_lines(rows: Sequence[ServedName], beyond: Sequence[str]) -> Iterator[str]:
    """One object, with each name on a line of its own."""
    yield f'{{"schema": "{SCHEMA}", "names": ['
    for place, row in enumerate(rows, 1):
        yield json.dumps(row.as_json(), ensure_ascii=False) + ("," if place < len(rows) else "")
    yield f'], "beyond": {json.dumps(list(beyond), ensure_ascii=False)}}}'


def zone_file(
    rows: Sequence[ServedName], beyond: Sequence[str], origin: str, wanted: Callable[[ServedName], bool]
) -> Iterator[str]:
    """The zone *origin* ("": the cluster's own or, without one, the first that is no reverse zone) as a master file
    (RFC 1035 section 5); its apex is there whatever is *wanted*. Raises WrongZoneError."""
    apexes = {row.zone: row.plugin for row in rows if row.type == Type.SOA.name}
    zones = list(apexes)
    own = [zone for zone, plugin in apexes.items() if plugin == KUBERNETES]
    chosen = _chosen(zones, own, origin)
    kept = [row for row in rows if row.zone == chosen and (wanted(row) or _is_frame(row))]
    kept.sort(
        key=lambda row: (row.name.lower() != chosen, row.type != Type.SOA.name)
    )  # stable: the order stays
    yield f"; {chosen} as dnsserver would serve it"
    others = [zone for zone in zones if zone != chosen]
    if others:
        yield f"; other zones, each by --origin: {' '.join(others)}"
    yield from (f"; {sentence}" for sentence in beyond)
    yield f"$ORIGIN {chosen}"
    for row in kept:
        for value in row.values:
            yield f"{row.name}\t{row.ttl}\tIN\t{row.type}\t{value}"


def _is_frame(row: ServedName) -> bool:
    """Whether a zone is none without it: its apex, and other names of the zone itself."""
    return row.name.lower() == row.zone or _is_of_zone(row)


def _is_of_zone(row: ServedName) -> bool:
    """Whether it is there whatever is in the cluster, as `ns.dns`."""
    return row.plugin in (KUBERNETES, EXTERNAL) and not row.objects


def _chosen(zones: Sequence[str], own: Sequence[str], origin: str) -> str:
    if origin:
        if origin in zones:
            return origin
        raise WrongZoneError(f"there is no zone {origin}: take one of {' '.join(zones)}")
    forward = [zone for zone in (*own, *zones) if not is_reverse(names.from_text(zone))]
    if not zones:
        raise WrongZoneError("there is no zone")
    return (forward or zones)[0]
