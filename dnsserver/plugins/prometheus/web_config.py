"""The file that `tls` of `prometheus` names: TLS of the metrics listener, in the form of Prometheus's own programs
(exporter-toolkit, "Web configuration")."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

#: What the file may hold, and what of it is served here.
_TLS, _SECTIONS = (
    "tls_server_config",
    ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"),
)
_KEYS = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version", "max_version")
_VERSIONS = {
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
#: Go's names of what a client has to show.
_CLIENT_AUTH = {
    "": ssl.CERT_NONE,
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


Value = TypeVar("Value")


class WebConfigError(Exception):
    """The file cannot be used; the text says why and what to mend."""


def tls_context(path: Path) -> ssl.SSLContext:
    """The server's side of TLS as the file at *path* says; other files count from its folder. Raises WebConfigError."""
    settings = _section(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _choice(settings, "min_version", _VERSIONS, ssl.TLSVersion.TLSv1_2)
    context.maximum_version = _choice(settings, "max_version", _VERSIONS, ssl.TLSVersion.TLSv1_3)
    certificate, key = (path.parent / _text(settings, name) for name in ("cert_file", "key_file"))
    _read(lambda: context.load_cert_chain(certificate, key), f"{certificate}, {key}")
    wanted = _choice(settings, "client_auth_type", _CLIENT_AUTH, ssl.CERT_NONE)
    if wanted is not ssl.CERT_NONE or "client_ca_file" in settings:
        authority = path.parent / _text(settings, "client_ca_file")
        _read(lambda: context.load_verify_locations(authority), str(authority))
    context.verify_mode = wanted
    return context


def _section(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise WebConfigError(f"TLS config file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise WebConfigError(f"TLS config file {path}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict) or not isinstance(found.get(_TLS), dict):
        raise WebConfigError(f"TLS config file {path}: {_TLS} with cert_file and key_file is missing")
    for name in found:
        if name != _TLS:
            hint = (
                "is not supported: leave it out, or put a proxy in front"
                if name in _SECTIONS
                else "is unknown"
            )
            raise WebConfigError(f"TLS config file {path}: {name} {hint}")
    section: Mapping[str, Any] = found[_TLS]
    for name in section:
        if name not in _KEYS:
            raise WebConfigError(
                f"TLS config file {path}: {_TLS}: {name} is not supported; there are {', '.join(_KEYS)}"
            )
    return section


def _text(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not value:
        raise WebConfigError(f"{_TLS}: {name} must name a file")
    return value


def _choice(settings: Mapping[str, Any], name: str, choices: Mapping[str, Value], default: Value) -> Value:
    value = settings.get(name)
    if value is None:
        return default
    if value not in choices:
        raise WebConfigError(
            f"{_TLS}: {name} {value} is not supported; there are {', '.join(filter(None, choices))}"
        )
    return choices[value]


def _read(load: Callable[[], None], what: str) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise WebConfigError(f"{_TLS}: {what}: {error.reason or error}") from None
    except OSError as error:
        raise WebConfigError(f"{_TLS}: {what}: {error.strerror}") from None
