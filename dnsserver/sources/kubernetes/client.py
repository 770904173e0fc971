"""GET requests to the API server, bodies raw [kubernetes.aio, aiohttp through it].

The client library brings addresses, credentials and TLS; its generated models are not used. Everything that can go
wrong with a request leaves here as one of `HttpError`, `Unreachable` and `SourceError`.
"""

# The client library has types for its models only.
# mypy: allow-untyped-calls

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from dnsserver import __version__
from dnsserver.sources.kubernetes.bodies import read_status
from dnsserver.sources.kubernetes.credentials import SourceError, configuration, described
from dnsserver.sources.kubernetes.metering import NO_ANSWER, Meter, Unmetered
from dnsserver.sources.kubernetes.pacing import RETRY_AFTER_MOST_S, Timing, TokenBucket
from dnsserver.sources.kubernetes.settings import DEFAULT_BURST, DEFAULT_QPS, LiveSettings, url_problem

__all__ = ["ApiServer", "Credentials", "HttpError", "Silent", "SourceError", "Unreachable"]

#: What the API server writes into its audit log.
USER_AGENT = f"dnsserver/{__version__}"
#: JSON, and no gzip: packing costs the API server more than the cluster's network gains.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
#: Seconds to set up a connection, TLS included (client-go, rest/transport: 30 s for dial; ours fails sooner).
CONNECT_S = 10.0
#: Octets of an error's body that are read for its message.
ERROR_BODY = 64 * 1024
#: Characters of an error's text that are passed on.
ERROR_TEXT = 400


class HttpError(Exception):
    """The API server answered with an error; `retry_after` is seconds, or None."""

    def __init__(self, code: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code} {reason}: {message}" if message else f"{code} {reason}")
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Unreachable(Exception):
    """No answer, or a body that broke off; the text says why. `answered`: the API server had begun to answer."""

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered


class Silent(Unreachable):
    """The API server had begun to answer, and then nothing came for as long as was waited."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to the API server at a time; `loads` is how often that has been read, and says nothing of it."""

    loads: int = field(compare=False)
    host: str = ""
    token: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)


class _Session:
    """One set of credentials with its connections; closed when it is retired and no request uses it any more."""

    def __init__(self, config: Configuration) -> None:
        """Raises OSError and ValueError for what the configuration's files have."""
        self.config = config
        self.certificate = Path(config.cert_file).read_bytes() if config.cert_file else b""
        self.place = config.host.partition("://")[2].partition("/")[0]
        self.api = ApiClient(config)
        self.users = 0
        self.retired = False

    async def leave(self) -> None:
        self.users -= 1
        if self.retired and not self.users:
            await self.api.close()

    async def retire(self) -> None:
        self.retired = True
        if not self.users:
            await self.api.close()


class ApiServer:
    """The API server as a reader of lists and watches; holds back requests as the settings say."""

    def __init__(
        self,
        settings: LiveSettings,
        timing: Timing | None = None,
        environ: Mapping[str, str] | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._timing = timing = timing or Timing()
        self._meter = meter or Unmetered()
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._bucket = TokenBucket(settings.qps or DEFAULT_QPS, settings.burst or DEFAULT_BURST, timing)
        self._inflight = asyncio.Semaphore(settings.max_inflight) if settings.max_inflight else None
        self._session: _Session | None = None
        self._loading = asyncio.Lock()
        self.loads = 0
        """How often the credentials have been read."""

    def __repr__(self) -> str:
        users = self._session.users if self._session else 0
        return (
            f"<ApiServer {described(self._settings)}: {users} requests, credentials read {self.loads} times>"
        )

    @property
    def credentials(self) -> Credentials:
        """Those that the next request takes; the client library may read a newer token of the same file."""
        session = self._session
        if session is None:
            return Credentials(self.loads)
        token = session.config.api_key.get("BearerToken") or session.config.api_key.get("authorization") or ""
        return Credentials(self.loads, session.config.host, token, session.certificate)

    async def connect(self) -> None:
        """Read the credentials; SourceError when they cannot be used. No request is sent."""
        await self.reload(self.credentials)

    async def reload(self, seen: Credentials) -> None:
        """Read the credentials again, unless that has been done since they were *seen*."""
        async with self._loading:
            if seen.loads != self.loads:
                return
            config = await configuration(self._settings, self._environ)
            problem = url_problem(config.host)
            if problem:
                raise SourceError(f"{described(self._settings)}: {_bad_url(config.host, problem)}")
            try:
                fresh = _Session(config)
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                raise SourceError(_bad_tls(self._settings, config, error)) from error
            fresh.api.user_agent = USER_AGENT
            old, self._session = self._session, fresh
            self.loads += 1
            if old is not None:
                await old.retire()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.retire()

    async def get(self, path: str, parameters: Mapping[str, str], silence_s: float) -> bytes:
        """The whole body; Unreachable when nothing comes for *silence_s*."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)
        async with self._turn():
            begun = self._timing.monotonic()
            async with self._response(path, parameters, limits) as response:
                body = await response.read()
            self._meter.took(self._place, self._timing.monotonic() - begun)
            return body

    @asynccontextmanager
    async def stream(
        self, path: str, parameters: Mapping[str, str], silence_s: float
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The body in pieces, as they come; Unreachable when nothing comes for *silence_s*."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)
        async with contextlib.AsyncExitStack() as stack:
            async with self._turn():
                response = await stack.enter_async_context(self._response(path, parameters, limits))
            yield response.content.iter_any()

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None, None]:
        """Hold a place among the requests in flight, once the rate allows one more."""
        async with self._inflight or contextlib.nullcontext():
            begun = self._timing.monotonic()
            await self._bucket.take()
            self._meter.held_back(self._place, self._timing.monotonic() - begun)
            yield

    @property
    def _place(self) -> str:
        """HOST:PORT, as far as it is known."""
        return "" if self._session is None else self._session.place

    @asynccontextmanager
    async def _response(
        self, path: str, parameters: Mapping[str, str], limits: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A response with status 200; also guards the reading of its body."""
        session = self._session
        if session is None:
            raise SourceError(f"{described(self._settings)}: not connected; call connect() first")
        session.users += 1
        url = f"{session.config.host}{path}?{urlencode(parameters)}"
        response: aiohttp.ClientResponse | None = None
        try:
            headers = await _headers(session)
            reply = await session.api.rest_client.request("GET", url, headers, _request_timeout=limits)
            response = reply.response
            self._meter.requested(session.place, str(response.status))
            if response.status != 200:
                raise await _http_error(response)
            yield response
        except (
            ValueError
        ) as error:  # aiohttp.InvalidURL, UnicodeError; the URL has passed url_problem, but not theirs
            if response is not None:
                raise  # the reader's, no matter of ours
            raise SourceError(_bad_url(session.config.host, str(error))) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if response is None:
                self._meter.requested(session.place, NO_ANSWER)
            raise _unreachable(session.config.host, error, response) from error
        finally:
            if response is not None:
                response.close()
            await session.leave()


async def _headers(session: _Session) -> dict[str, str]:
    headers = {**HEADERS, "User-Agent": session.api.user_agent}
    try:
        auth = (await session.config.auth_settings()).get("BearerToken")
    except Exception as error:  # the library's hook reads the token file: ConfigException, OSError
        raise SourceError(f"credentials: {error}; see that the token file is there and not empty") from error
    if auth is not None and auth["value"]:
        headers["Authorization"] = auth["value"].strip()
    return headers


async def _http_error(response: aiohttp.ClientResponse) -> HttpError:
    body = await response.content.read(ERROR_BODY)
    status = read_status(body)
    message = status.message or ("" if body[:1] in b"{<" else body.decode("utf-8", "replace").strip())
    reason = status.reason or response.reason or "no reason given"
    return HttpError(response.status, reason, message[:ERROR_TEXT], _retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds; the form with a date is not used by API servers."""
    text = response.headers.get("Retry-After", "").strip()
    return min(float(text), RETRY_AFTER_MOST_S) if text.isdecimal() else None


def _unreachable(host: str, error: Exception, response: aiohttp.ClientResponse | None) -> Unreachable:
    text = str(error) or type(error).__name__
    if response is not None:
        kind = Silent if isinstance(error, aiohttp.SocketTimeoutError) else Unreachable
        return kind(f"{host}: {text}", answered=True)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Unreachable(f"the API server is not reachable at {host}: {text}")
    return Unreachable(f"the API server at {host} does not answer: {text}")


def _bad_url(host: str, problem: str) -> str:
    return f"the URL of the API server, {host!r}, cannot be used: {problem}; write https://HOST:PORT"


def _bad_tls(settings: LiveSettings, config: Configuration, error: Exception) -> str:
    files = [name for name in (config.ssl_ca_cert, config.cert_file, config.key_file) if name]
    what = error.reason if isinstance(error, ssl.SSLError) and error.reason else str(error)
    return (
        f"{described(settings)}: TLS files cannot be used: {what}; they must be PEM, and key and certificate must "
        f"belong together: {', '.join(files)}"
    )
