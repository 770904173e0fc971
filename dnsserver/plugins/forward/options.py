"""Corefile text to settings."""

import ipaddress
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dnsserver.config import Line, Occurrence, Property
from dnsserver.config.gotext import duration_text, quote
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.addresses import parse_address
from dnsserver.plugins.forward.addresses import upstreams_of
from dnsserver.plugins.forward.rcodes import RCODES
from dnsserver.plugins.forward.settings import POLICIES, ForwardSettings, Probe, TlsFiles
from dnsserver.transports.upstream.tls import client_context
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

_log = plugin_logger("forward")

#: `max_fails` and `max_connect_attempts` have 32 bits in CoreDNS.
COUNT_MAX = (1 << 32) - 1
DOH_METHODS = ("POST", "GET")


def settings_of(occurrence: Occurrence, directory: Path) -> ForwardSettings:
    """One `forward`. Files are read now, relative to *directory*. Raises ConfigError."""
    origin, *tos = occurrence.at_least(2)
    zones = occurrence.zones((), (origin,))
    if len(zones) > 1:
        _log.warning(
            "Unsupported CIDR notation: '%s' expands to multiple zones. Using only '%s'.", origin, zones[0]
        )
    settings = ForwardSettings(zone=_name(occurrence, zones[0]), upstreams=())
    for line in occurrence.properties:
        read = _READERS.get(line.text)
        if line.text == "tls":
            settings = replace(settings, tls=_tls(line, directory))
        elif read is None:
            raise line.unknown()
        else:
            settings = read(settings, line)
    if settings.max_age_s and settings.max_age_s < settings.expire_s:
        ages = duration_text(settings.max_age_s), duration_text(settings.expire_s)
        raise occurrence.bare_error("max_age ({}) must not be less than expire ({})".format(*ages))
    return replace(settings, upstreams=upstreams_of(occurrence, tos, directory, settings.tls_servername))


def _name(line: Line, text: str) -> bytes:
    try:
        return names.from_text(text).lower()
    except (NameTextError, UnicodeEncodeError):
        raise line.bare_error(f"unable to normalize '{text}'") from None


def _except(settings: ForwardSettings, line: Property) -> ForwardSettings:
    line.at_least(1)
    more = tuple(_name(line, zone) for zone in line.zones(()))
    return replace(settings, excepted=settings.excepted + more)


def _changed(settings: ForwardSettings, field: str, value: bool | float) -> ForwardSettings:
    changes: dict[str, Any] = {field: value}
    return replace(settings, **changes)


def _switch(field: str) -> Callable[[ForwardSettings, Property], ForwardSettings]:
    """An option without arguments."""

    def read(settings: ForwardSettings, line: Property) -> ForwardSettings:
        line.no_arguments()
        return _changed(settings, field, True)

    return read


def _count(field: str) -> Callable[[ForwardSettings, Property], ForwardSettings]:
    """A number of 32 bits."""

    def read(settings: ForwardSettings, line: Property) -> ForwardSettings:
        count = line.integer(line.one(), 0, COUNT_MAX, function="strconv.ParseUint")
        return _changed(settings, field, count)

    return read


def _limit(field: str) -> Callable[[ForwardSettings, Property], ForwardSettings]:
    """A number that is not negative."""

    def read(settings: ForwardSettings, line: Property) -> ForwardSettings:
        token = line.one()
        count = line.integer(token)
        if count < 0:
            raise line.bare_error(f"{line.text} can't be negative: {count}", token)
        return _changed(settings, field, count)

    return read


def _duration(field: str) -> Callable[[ForwardSettings, Property], ForwardSettings]:
    """A duration that is not negative."""

    def read(settings: ForwardSettings, line: Property) -> ForwardSettings:
        token = line.one()
        duration_s = line.duration(token)
        if duration_s < 0:
            raise line.bare_error(f"{line.text} can't be negative: {duration_text(duration_s)}", token)
        return _changed(settings, field, duration_s)

    return read


def _read_timeout(settings: ForwardSettings, line: Property) -> ForwardSettings:
    token = line.one()
    duration_s = line.duration(token)
    if duration_s <= 0:
        raise line.bare_error(f"read_timeout must be positive: {duration_text(duration_s)}", token)
    return replace(settings, read_s=duration_s)


def _policy(settings: ForwardSettings, line: Property) -> ForwardSettings:
    token = line.one()
    if token.text not in POLICIES:
        raise line.error(f"unknown policy '{token.text}'", token)
    return replace(settings, policy=token.text)


def _rcodes(line: Property) -> frozenset[int]:
    found = []
    for token in line.at_least(1):
        if token.text.upper() not in RCODES:
            raise line.bare_error(f"{token.text} is not a valid rcode", token)
        found.append(RCODES[token.text.upper()])
    return frozenset(found)


def _next(settings: ForwardSettings, line: Property) -> ForwardSettings:
    return replace(settings, next_rcodes=settings.next_rcodes | _rcodes(line))


def _failover(settings: ForwardSettings, line: Property) -> ForwardSettings:
    rcodes = _rcodes(line)
    if RCODES["NOERROR"] in rcodes:
        raise line.bare_error("NoError cannot be used in failover")
    return replace(settings, failover=settings.failover | rcodes)


def _health_check(settings: ForwardSettings, line: Property) -> ForwardSettings:
    interval, *options = line.at_least(1)
    interval_s = line.duration(interval)
    if interval_s < 0:
        raise line.bare_error(f"health_check can't be negative: {round(interval_s * 1e9)}", interval)
    probe = Probe(interval_s=interval_s)
    rest = iter(options)
    for token in rest:
        match token.text:
            case "no_rec":
                probe = replace(probe, recursion=False)
            case "domain":
                name = next(rest, None)
                if name is None:
                    raise line.argument_error(token)
                probe = replace(probe, domain=_domain(line, name.text))
            case _:
                raise line.bare_error(f"health_check: unknown option {token.text}", token)
    return replace(settings, probe=probe)


def _domain(line: Property, text: str) -> bytes:
    try:
        if text:
            return names.from_text(text).lower()
    except (NameTextError, UnicodeEncodeError):
        pass
    raise line.bare_error(f"health_check: invalid domain name {text}")


def _tls(line: Property, directory: Path) -> TlsFiles:
    """Of `tls`, `tls CA`, `tls CERT KEY` and `tls CERT KEY CA`: that all can be used is tried now."""
    paths = [str(directory / text) for text in (token.text for token in line.at_most(3))]
    cert, key = paths[:2] if len(paths) >= 2 else ("", "")
    files = TlsFiles(ca=paths[-1] if len(paths) in (1, 3) else "", cert=cert, key=key)
    for path in paths:
        try:
            Path(path).read_bytes()
        except OSError as error:
            what = f"error reading {path}" if path == files.ca else "could not load TLS cert"
            reason = (error.strerror or str(error)).lower()
            raise line.bare_error(f"{what}: open {path}: {reason}") from None
    try:
        client_context(files.ca)
    except ssl.SSLError as error:
        raise line.bare_error(f"could not read root certs: {files.ca}: {_tls_reason(error)}") from None
    try:
        client_context(files.ca, files.cert, files.key)
    except ssl.SSLError as error:
        raise line.bare_error(f"could not load TLS cert: {cert}, {key}: {_tls_reason(error)}") from None
    return files


def _tls_reason(error: ssl.SSLError) -> str:
    return (error.reason or "no PEM certificate").replace("_", " ").lower()


def _tls_servername(settings: ForwardSettings, line: Property) -> ForwardSettings:
    return replace(settings, tls_servername=line.one().text)


def _doh_method(settings: ForwardSettings, line: Property) -> ForwardSettings:
    token = line.one()
    if token.text not in DOH_METHODS:
        raise line.bare_error("doh_method must be either {} or {}".format(*DOH_METHODS), token)
    return replace(settings, doh_method=token.text)


def _source_address(settings: ForwardSettings, line: Property) -> ForwardSettings:
    token = line.one()
    try:
        return replace(settings, source_address=str(ipaddress.ip_address(token.text)))
    except ValueError:
        raise line.error(f"invalid IP address: {token.text}", token) from None


def _resolver(settings: ForwardSettings, line: Property) -> ForwardSettings:
    found = []
    for token in line.at_least(1):
        try:
            address = parse_address(token.text)
        except ValueError:
            address = None
        if address is None:
            text = f"resolver must be an IP address or IP:port: {quote(token.text)}"
            raise line.bare_error(text, token)
        found.append(address)
    return replace(settings, resolvers=tuple(found))


_READERS: Mapping[str, Callable[[ForwardSettings, Property], ForwardSettings]] = {
    "except": _except,
    "force_tcp": _switch("force_tcp"),
    "prefer_udp": _switch("prefer_udp"),
    "randomize_case": _switch("randomize_case"),
    "expire": _duration("expire_s"),
    "max_age": _duration("max_age_s"),
    "max_idle_conns": _limit("max_idle_conns"),
    "max_fails": _count("max_fails"),
    "max_connect_attempts": _count("max_connect_attempts"),
    "max_concurrent": _limit("max_concurrent"),
    "read_timeout": _read_timeout,
    "policy": _policy,
    "next": _next,
    "next_on_nodata": _switch("next_on_nodata"),
    "failover": _failover,
    "failfast_all_unhealthy_upstreams": _switch("failfast"),
    "health_check": _health_check,
    "tls_servername": _tls_servername,
    "doh_method": _doh_method,
    "source_address": _source_address,
    "resolver": _resolver,
}
