"""Master files and the text of single records, to records as values (RFC 1035 section 5) [dnspython]."""

from dnsserver.sources.zonefile.errors import RecordTextError, ZoneFileError
from dnsserver.sources.zonefile.reading import LoadedZone, ReadingStoppedError, load_zone, read_records
from dnsserver.sources.zonefile.records import record_from_text

__all__ = [
    "LoadedZone",
    "ReadingStoppedError",
    "RecordTextError",
    "ZoneFileError",
    "load_zone",
    "read_records",
    "record_from_text",
]
