"""rewrite: which lines are refused, and with which words."""

import pytest

from dnsserver.plugins.rewrite import setup
from tests.plugins.helpers import refused

LONG = "a" * 10_001


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rewrite", "no rule type specified for rewrite"),
        ("rewrite continue", "continue rule must begin with a rule type"),
        ("rewrite stop", "stop rule must begin with a rule type"),
        ("rewrite answer name a b", "response rewrites must begin with a name rule"),
        ("rewrite nope a b", 'invalid rule type "nope"'),
        ("rewrite name a", "too few arguments for a name rule"),
        (
            "rewrite name nope a b",
            "name rule supports only exact, prefix, suffix, substring, and regex name matching, "
            "received: nope",
        ),
        ("rewrite name regex ( b", "invalid regex matching pattern: ("),
        (f"rewrite name regex {LONG} b", "regex pattern too long: 10001 > 10000"),
        (
            "rewrite name regex (a) {1}{2}",
            "uses more subexpressions than its corresponding matching regex pattern",
        ),
        ("rewrite name exact a b answer", "invalid arguments for exact rule"),
        (
            "rewrite name suffix a b x y",
            "exceeded the number of arguments for a non-answer rule",
        ),
        ("rewrite name suffix a b answer nope", 'invalid type "nope" for answer rule for suffix rule'),
        ("rewrite name suffix a b answer name x", "name answer rule for suffix rule: 2 arguments required"),
        ("rewrite name suffix a b answer value x", "value answer rule for suffix rule: 2 arguments required"),
        (
            "rewrite name suffix a b answer name ( y",
            "name answer rule for suffix rule: invalid regex",
        ),
        ("rewrite name suffix a b answer auto answer", "type missing for answer rule for suffix rule"),
        ("rewrite name suffix a b answer auto answer name x y", "auto name answer rule cannot be combined"),
        ("rewrite type A", "type rules must have exactly two arguments"),
        ("rewrite type A NOPE", 'invalid type "NOPE"'),
        ("rewrite class IN", "class rules must have exactly two arguments"),
        ("rewrite class nope IN", 'invalid class "NOPE"'),
        ("rewrite ttl a", "too few (1) arguments for a ttl rule"),
        ("rewrite ttl a 1x", "invalid TTL '1x' for a ttl rule"),
        ("rewrite ttl a -", "invalid TTL '-' for a ttl rule"),
        ("rewrite ttl a 9-1", "invalid TTL '9-1' for a ttl rule"),
        ("rewrite ttl a 4294967296", "invalid TTL '4294967296' for a ttl rule"),
        ("rewrite ttl exact a 1 2", "invalid TTL '' for a ttl rule"),
        (
            "rewrite ttl nope a 1",
            "ttl rule supports only exact, prefix, suffix, substring, and regex name matching",
        ),
        ("rewrite ttl regex ( 1", "invalid regex pattern in a ttl rule: ("),
        (f"rewrite ttl regex {LONG} 1", "regex pattern too long in a ttl rule: 10001 > 10000"),
        ("rewrite rcode a 1", "too few (2) arguments for a rcode rule"),
        ("rewrite rcode a NOPE 1", "invalid matching RCODE 'NOPE' for a rcode rule"),
        ("rewrite rcode a 1 24", "invalid replacement RCODE '24' for a rcode rule"),
        ("rewrite rcode nope a 1 2", "rcode rule supports only exact, prefix"),
        ("rewrite rcode regex ( 1 2", "invalid regex pattern in a rcode rule: ("),
        ("rewrite cname a", "too few (1) arguments for a cname rule"),
        ("rewrite cname nope a b", "unknown cname rewrite type: nope"),
        ("rewrite cname regex ( b", "invalid cname rewrite regex pattern"),
        (f"rewrite cname regex {LONG} b", "regex pattern too long in a cname rule: 10001 > 10000"),
        ("rewrite edns0 local", "too few arguments for an EDNS0 rule"),
        ("rewrite edns0 local nope", 'invalid action: "nope"'),
        ("rewrite edns0 nope set", 'invalid rule type "nope"'),
        ("rewrite edns0 local set 1", "EDNS0 local rules require three or four args"),
        ("rewrite edns0 local set x y", 'strconv.ParseUint: parsing "x": invalid syntax'),
        ("rewrite edns0 local set 65536 y", 'parsing "65536": value out of range'),
        ("rewrite edns0 local set 1 0xf", "encoding/hex"),
        ("rewrite edns0 local set 1 {nope}", 'unsupported variable name "{nope}"'),
        ("rewrite edns0 nsid set x", "EDNS0 NSID rules can accept no more than one arg"),
        ("rewrite edns0 subnet set 24", "EDNS0 subnet rules require three or four args"),
        ("rewrite edns0 subnet set 33 56", "invalid IPv4 bit mask length 33"),
        ("rewrite edns0 subnet set 24 129", "invalid IPv6 bit mask length 129"),
        ("rewrite edns0 local unset", "local unset action requires exactly two arguments"),
        ("rewrite edns0 nsid unset 1", "nsid unset action requires exactly one argument"),
        ("rewrite edns0 subnet unset 1", "subnet unset action requires exactly one argument"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    message = refused(setup, text)
    assert message.startswith("plugin/rewrite: ")
    assert reason in message
    assert "(Corefile:2)" in message
