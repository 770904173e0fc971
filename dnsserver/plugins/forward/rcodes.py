"""RCODEs by the names that CoreDNS has for them (those of IANA, with two exceptions)."""

RCODES = {
    "NOERROR": 0,
    "FORMERR": 1,
    "SERVFAIL": 2,
    "NXDOMAIN": 3,
    "NOTIMP": 4,
    "NOTIMPL": 4,
    "REFUSED": 5,
    "YXDOMAIN": 6,
    "YXRRSET": 7,
    "NXRRSET": 8,
    "NOTAUTH": 9,
    "NOTZONE": 10,
    "DSOTYPENI": 11,
    "BADSIG": 16,
    "BADKEY": 17,
    "BADTIME": 18,
    "BADMODE": 19,
    "BADNAME": 20,
    "BADALG": 21,
    "BADTRUNC": 22,
    "BADCOOKIE": 23,
}
_NAMES = {number: name for name, number in RCODES.items() if name != "NOTIMPL"}


def rcode_label(rcode: int) -> str:
    """The name of an RCODE in metrics, its number when it has none."""
    return _NAMES.get(rcode, str(rcode))
