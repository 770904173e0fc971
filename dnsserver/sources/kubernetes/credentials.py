"""Settings to a configuration of the API client: service account, kubeconfig, or endpoint and files [kubernetes.aio].

This is the border to the client library's loaders, which raise whatever comes up in them; what leaves here is a
`SourceError`.
"""

# The client library has types for its models only.
# mypy: allow-untyped-calls

from collections.abc import Mapping
from pathlib import Path

from kubernetes.aio.client import Configuration
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from dnsserver.sources.kubernetes.settings import LiveSettings, TlsFiles, with_scheme


class SourceError(Exception):
    """The API server cannot be reached with these settings; the text says what, where, and how to mend it."""


async def configuration(settings: LiveSettings, environ: Mapping[str, str]) -> Configuration:
    """A configuration with credentials as they are now on disk; a new call reads them again."""
    found = Configuration()
    found.disable_strict_ssl_verification = (
        True  # Go does not ask for the extensions, and old clusters lack them
    )
    if settings.kubeconfig is not None:
        await _from_kubeconfig(found, settings.kubeconfig, settings.context)
    elif settings.endpoint:
        _from_endpoint(found, settings.endpoint, settings.tls)
    else:
        _from_service_account(found, settings.service_account, environ)
    return found


def described(settings: LiveSettings) -> str:
    """Where the credentials come from, for messages."""
    if settings.kubeconfig is not None:
        return f"kubeconfig {settings.kubeconfig}"
    if settings.endpoint:
        return f"endpoint {settings.endpoint}"
    return f"service account {settings.service_account}"


async def _from_kubeconfig(found: Configuration, path: Path, context: str) -> None:
    _must_read(path, "kubeconfig", "correct the path after `kubeconfig` in the Corefile")
    try:
        merged = KubeConfigMerger(str(path)).config
        contexts = [str(item["name"]) for item in merged.value["contexts"]]
        chosen = context or merged.value.get("current-context")
    except Exception as error:  # the loader: yaml errors, KeyError, TypeError, AttributeError
        raise SourceError(
            f"kubeconfig {path}: is no kubeconfig: {error}; `kubectl --kubeconfig {path} config view` shows a good one"
        ) from error
    if chosen not in contexts:
        what = f"there is no context {chosen!r}" if chosen else "it has no current-context"
        known = ", ".join(contexts) or "none"
        raise SourceError(
            f"kubeconfig {path}: {what}; contexts in it: {known}; name one: `kubeconfig {path} CONTEXT`"
        )
    try:
        loader = KubeConfigLoader(config_dict=merged, config_base_path=None, active_context=chosen)
        await loader.load_and_set(found)
    except Exception as error:  # as above, and OSError for the files it names
        raise SourceError(
            f"kubeconfig {path}, context {chosen}: {error}; mend the context's cluster and user in that file"
        ) from error
    _check_loaded(loader, found, f"kubeconfig {path}, context {chosen}")


def _check_loaded(loader: KubeConfigLoader, found: Configuration, where: str) -> None:
    """The loader passes over a missing server, and over an exec plugin that failed."""
    if "host" not in vars(loader):
        raise SourceError(f"{where}: its cluster has no `server`; add the URL of the API server")
    user = loader._user
    if user is not None and "exec" in user and not found.api_key and not found.cert_file:
        command = user["exec"].value.get("command")
        raise SourceError(
            f"{where}: the exec plugin {command!r} gave no credentials; run it by hand to see why"
        )


def _from_endpoint(found: Configuration, endpoint: str, tls: TlsFiles | None) -> None:
    found.host = with_scheme(endpoint, tls).rstrip("/")
    if tls is not None:
        for path in (tls.cert, tls.key, tls.ca):
            _must_read(path, "tls", "correct the paths after `tls` in the Corefile: CERT KEY CACERT")
        found.cert_file, found.key_file, found.ssl_ca_cert = str(tls.cert), str(tls.key), str(tls.ca)


def _from_service_account(found: Configuration, folder: Path, environ: Mapping[str, str]) -> None:
    loader = InClusterConfigLoader(
        token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt"), environ=environ
    )
    try:
        loader.load_and_set(found)
    except Exception as error:  # ConfigException, OSError
        raise SourceError(
            f"not in a cluster: {error} (KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, and the service account "
            f"in {folder}); run in a pod with a service account, or name a `kubeconfig` or `endpoint`"
        ) from error


def _must_read(path: Path, what: str, mend: str) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SourceError(f"{what} {path}: cannot be read: {error.strerror or error}; {mend}") from error
