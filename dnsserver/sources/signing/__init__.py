"""Keys of zones, and signatures by them (RFC 4034) [dnspython, cryptography]."""

from dnsserver.sources.signing.keys import KeyFileError, ZoneKey, read_key
from dnsserver.sources.signing.records import cds_records, nsec_rdata, type_bitmap

__all__ = ["KeyFileError", "ZoneKey", "cds_records", "nsec_rdata", "read_key", "type_bitmap"]
