"""Corefile text to server blocks with file and line, and on to typed settings.

Public surface (all names are importable from here):

    load(path, *, directives, environ, default_port=53) -> Corefile
    parse(text, *, file, directory, directives, environ, default_port=53) -> Corefile

    Origin(path, directives, environ, ...)      .read() -> Corefile, .digest() -> str: what is there now

    Corefile(blocks: tuple[ServerBlock, ...], warnings: tuple[str, ...], files: tuple[Path, ...])
    ServerBlock(keys: tuple[ServerKey, ...], directives: tuple[Directive, ...], file: str, line: int)
        .zones -> tuple[str, ...]                   the default zone list of the block's plugins
        .directive(name) -> Directive | None
    ServerKey(scheme: str, zone: str, port: int, text: str)     zone: lower case, final dot, "." is root

    Directive(name: str, occurrences: tuple[Occurrence, ...])   one per plugin and block
        .once() -> Occurrence                       refuses a second occurrence
        .last() -> Occurrence                       the last occurrence, for plugins where it counts
        .missing_plugin() -> ConfigError            known name, plugin not built in
    Occurrence(plugin: str, name: Token, arguments: tuple[Token, ...], properties: tuple[Property, ...])
        .no_properties() -> None
    Property(plugin: str, name: Token, arguments: tuple[Token, ...])

    Both Occurrence and Property (base class Line):
        .text, .file, .line                         of the name token
        .texts / .words -> tuple[str, ...]          the arguments as plain text, without / with the name
        .no_arguments() -> None
        .one() -> Token
        .exactly(n) / .at_least(n) / .at_most(n) / .between(low, high) -> tuple[Token, ...]
        .integer(token, low=None, high=None, *, function="strconv.Atoi") -> int
        .duration(token) -> float                   seconds, Go syntax
        .zones(default, arguments=None) -> tuple[str, ...]      the arguments as zones or CIDRs, *default* if none
        .error(message, token=None) -> ConfigError          "plugin/NAME: FILE:LINE - Error during parsing: MESSAGE"
        .bare_error(message, token=None) -> ConfigError     "plugin/NAME: MESSAGE (FILE:LINE)"
        .unknown() -> ConfigError                           "... unknown property 'x'"
        .argument_error(token=None) -> ConfigError          "... Wrong argument count or unexpected ..."
        .syntax_error(expected, token=None) -> ConfigError  "plugin/NAME: FILE:LINE - Syntax error: ..."
    Token(text: str, file: str, line: int, ...)     str(token) is its text

    zones_from(text) -> tuple[str, ...]             zone names and CIDRs, blank-separated, normalised
    reverse_zones(cidr) -> tuple[str, ...]
    seconds(text) -> float                          Go duration; ValueError with Go's text

    ListenEntry(scheme, zone, port, address, where, filtered=False)
    check_overlaps(entries) -> None                 ConfigError for a zone that is served twice
    listeners(entries) -> tuple[Listener, ...]      check_overlaps, then one Listener per socket address
    Listener(scheme: str, address: str, port: int, entries: tuple[ListenEntry, ...])

Only ConfigError leaves this package, whatever the text (`seconds` and `reverse_zones` excepted: ValueError).
Where CoreDNS's message has no file and line, ours has them in parentheses behind CoreDNS's words.

A plugin reads its settings like this:

    def from_directive(directive: Directive) -> HealthSettings:
        found, settings = directive.last(), HealthSettings()
        for address in found.at_most(1):
            settings = replace(settings, address=address.text)
        for line in found.properties:
            match line.text:
                case "lameduck":
                    settings = replace(settings, lameduck_s=line.duration(line.one()))
                case _:
                    raise line.unknown()
        return settings
"""

from dnsserver.config.corefile import Corefile, ServerBlock, load, parse
from dnsserver.config.directive import Directive, Line, Occurrence, Property
from dnsserver.config.errors import ConfigError
from dnsserver.config.gotext import seconds
from dnsserver.config.keys import ServerKey, zones_from
from dnsserver.config.lexer import Token
from dnsserver.config.listeners import ListenEntry, Listener, check_overlaps, listeners
from dnsserver.config.origin import Origin
from dnsserver.config.zones import reverse_zones

__all__ = [
    "ConfigError",
    "Corefile",
    "Directive",
    "Line",
    "ListenEntry",
    "Listener",
    "Occurrence",
    "Origin",
    "Property",
    "ServerBlock",
    "ServerKey",
    "Token",
    "check_overlaps",
    "listeners",
    "load",
    "parse",
    "reverse_zones",
    "seconds",
    "zones_from",
]
