"""Errors of a Corefile in CoreDNS's words (coredns-compat.md, sections 1.3 to 1.9), each as CoreDNS 1.14.7 gives it.

Ours contain them, name file and line always, and may say behind them how to mend it.
"""

import re
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from tests.runtime.helpers import server_of


def block(*lines: str) -> str:
    return "\n".join((".:1053 {", *lines, "}", ""))


COUNT = "Error during parsing: Wrong argument count or unexpected line ending after"

#: What is wrong, the Corefile, what CoreDNS says.
CASES = (
    # The parser.
    (
        "unknown directive",
        block("nonsense"),
        "Corefile:2 - Error during parsing: Unknown directive 'nonsense'",
    ),
    (
        "plugin of old",
        block("proxy . /etc/resolv.conf"),
        "Corefile:2 - Error during parsing: Unknown directive 'proxy'",
    ),
    (
        "no blank before the brace",
        ".:1053{\nwhoami\n}\n",
        "error inspecting server blocks: zone is not a valid domain name: .:1053{",
    ),
    (
        "block on one line",
        ". { whoami }\n",
        "Corefile:1 - Error during parsing: Unexpected '}' because no matching opening brace",
    ),
    (
        "no closing brace",
        ".:1053 {\nwhoami\n",
        "Corefile:2 - Syntax error: Unexpected token 'whoami', expecting '}'",
    ),
    (
        "no closing brace of a sub-block",
        ".:1053 {\nhealth {\nlameduck 5s\n",
        "Corefile:3 - Error during parsing: Unexpected EOF",
    ),
    (
        "closing brace behind an argument",
        block("forward . 192.0.2.1 { force_tcp }"),
        "plugin/forward: Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '}'",
    ),
    (
        "comma before the brace",
        "a.test, {\nwhoami\n}\n",
        "Corefile:1 - Error during parsing: Expected another address but had '{' - check for extra comma",
    ),
    # Imports and snippets.
    (
        "import of nothing",
        "import none.conf\n",
        "Corefile:1 - Error during parsing: File to import not found: none.conf",
    ),
    (
        "import without argument",
        block("import"),
        f"Corefile:2 - {COUNT} 'import'",
    ),
    (
        "import of two",
        block("import a b"),
        "Corefile:2 - Error during parsing: Import takes only one argument (glob pattern or file)",
    ),
    (
        "import with two stars",
        "import */*.conf\n",
        "Corefile:1 - Error during parsing: Glob pattern may only contain one wildcard (*), but has others: "
        "DIR/*/*.conf",
    ),
    (
        "import of a folder",
        block("import ."),
        "Corefile:2 - Error during parsing: Could not import DIR: is a directory",
    ),
    (
        "snippet twice",
        "(a) {\nwhoami\n}\n(a) {\nwhoami\n}\n",
        "Corefile:4 - Error during parsing: redeclaration of previously declared snippet a",
    ),
    (
        "snippet without braces",
        "(a)\nwhoami\n",
        "Corefile:2 - Syntax error: Unexpected token 'whoami', expecting '{'",
    ),
    # Server keys and listeners.
    (
        "no port behind the colon",
        "a.test: {\nwhoami\n}\n",
        'error inspecting server blocks: expecting data after last colon: "a.test:"',
    ),
    ("port too large", "a.test:70000 {\nwhoami\n}\n", "address 70000: invalid port"),
    (
        "zone too long",
        "a." * 130 + ":1053 {\nwhoami\n}\n",
        "error inspecting server blocks: specified zone is too long: 260 > 255",
    ),
    (
        "no zone",
        "a..b:1053 {\nwhoami\n}\n",
        "error inspecting server blocks: zone is not a valid domain name: a..b",
    ),
    ("zone twice", block("whoami") * 2, "cannot serve dns://.:1053 - it is already defined"),
    (
        "zone with and without bind",
        block("whoami") + block("bind 127.0.0.1", "whoami"),
        "cannot serve dns://.:1053 on 127.0.0.1 - zone overlap listener capacity with dns://.:1053",
    ),
    (
        "address twice",
        block("bind 127.0.0.1", "bind 127.0.0.1", "whoami"),
        "cannot serve dns://.:1053 on 127.0.0.1 - it is already defined",
    ),
    (
        "variable that is not set",
        block("bind {$UNSET}", "whoami"),
        'plugin/bind: not a valid IP address or interface name: ""',
    ),
    # Numbers, durations, regular expressions.
    (
        "no number",
        block("forward . 192.0.2.1 {", "max_fails x", "}"),
        'plugin/forward: strconv.ParseUint: parsing "x": invalid syntax',
    ),
    ("negative number", block("cache -1"), "plugin/cache: cache TTL can not be zero or negative: -1"),
    (
        "duration without unit",
        block("health {", "lameduck 5", "}"),
        "plugin/health: unable to parse lameduck duration value: '5' : time: missing unit in duration \"5\"",
    ),
    (
        "no duration",
        block("forward . 192.0.2.1 {", "health_check soon", "}"),
        'plugin/forward: time: invalid duration "soon"',
    ),
    (
        "look-ahead",
        block("errors {", 'consolidate 5m "(?=x)"', "}"),
        "plugin/errors: Corefile:3 - Error during parsing: error parsing regexp: ",
    ),
    (
        "back-reference",
        block("template ANY ANY {", 'match "(a)\\1"', "rcode NXDOMAIN", "}"),
        "plugin/template: Corefile:3 - Error during parsing: could not parse regex: (a)\\1, error parsing regexp: "
        "invalid escape sequence: ",
    ),
    # Arguments and properties.
    (
        "argument too many",
        block("whoami x"),
        "plugin/whoami: Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after 'x'",
    ),
    (
        "argument too few",
        block("forward ."),
        "plugin/forward: Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '.'",
    ),
    *(
        (
            f"property of {first.split()[0]}",
            block(f"{first} {{", "nonsense", "}"),
            f"plugin/{first.split()[0]}: Corefile:3 - Error during parsing: unknown property 'nonsense'",
        )
        for first in ("forward . 192.0.2.1", "health", "kubernetes cluster.local", "log")
    ),
    (
        "property of cache",
        block("cache {", "nonsense", "}"),
        f"plugin/cache: Corefile:3 - {COUNT} 'nonsense'",
    ),
    (
        "property of template",
        block("template ANY ANY {", "nonsense", "}"),
        f"plugin/template: Corefile:3 - {COUNT} 'nonsense'",
    ),
    (
        "property of errors",
        block("errors {", "nonsense", "}"),
        "plugin/errors: Corefile:3 - Syntax error: Unexpected token 'nonsense', expecting 'Unknown field nonsense'",
    ),
    *(
        (
            f"{line.split()[0]} twice",
            block(line, line),
            f"plugin/{line.split()[0]}: this plugin can only be used once per Server Block",
        )
        for line in (
            *("cache", "dnssec", "errors", "hosts", "kubernetes cluster.local"),
            *("loop", "nsid", "prometheus", "ready"),
        )
    ),
    ("reverse zones only", block("kubernetes 10.0.0.0/24"), "non-reverse zone name must be used"),
    (
        "plugin that is not built in",
        block("route53"),
        "no action found for directive 'route53' with server type 'dns' (missing a plugin?)",
    ),
)


@pytest.mark.parametrize(("text", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_error(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        server_of(text, tmp_path)
    shown = str(caught.value).replace(str(tmp_path), "DIR")
    assert told in shown
    assert re.search(r"Corefile:\d", shown), "file and line"


def test_a_duration_where_a_number_of_seconds_belongs_is_a_zone(caplog: pytest.LogCaptureFixture) -> None:
    """`cache 3600s` caches nothing, as with CoreDNS; the log says so."""
    server_of(block("cache 3600s", "whoami"))
    assert "caches the zone '3600s' only" in caplog.text
