"""The file of weights for the policy `weighted` (coredns-compat.md, section 3.10)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from dnsserver.observability.logs import plugin_logger
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError
from dnsserver.zone.addresses import packed

_log = plugin_logger("loadbalance")

#: The highest weight; what an address has that no line names.
WEIGHT_MAX, DEFAULT = 255, 1
#: Octets. More lines than this has no set of names that somebody weighs by hand.
FILE_MAX = 16 << 20

#: By name (wire form, lower case), the weights by packed address.
Weights = Mapping[bytes, Mapping[bytes, int]]


class WeightsError(Exception):
    """The file cannot be used; the text is CoreDNS's, where it has one."""


class WeightsOpenError(WeightsError):
    """The file cannot be opened: it may come later."""


class WeightFile:
    """The weights as the file had them when it was last right; looked at every *reload_s* seconds, unless that is 0."""

    def __init__(self, path: Path, reload_s: float) -> None:
        self._path, self._reload_s = path, reload_s
        self._content: bytes | None = None
        self.weights: Weights = {}

    def __repr__(self) -> str:
        return f"<WeightFile {self._path} names={len(self.weights)}>"

    def read(self) -> bool:
        """Whether there is something new. Raises WeightsError; the weights then stay."""
        content = _content(self._path)
        if content == self._content:
            return False
        self._content = content  # also of a file that is wrong: it is told of once
        self.weights = parse_weights(content.decode("utf-8", "replace"), str(self._path))
        return True

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        if not self._reload_s:
            yield
            return
        home = TaskHome("loadbalance")
        await home.open()
        home.spawn(self._follow(), f"look at {self._path}")
        try:
            yield
        finally:
            await home.close()

    async def _follow(self) -> None:
        trouble = ""
        while True:
            await asyncio.sleep(self._reload_s)
            try:
                if await asyncio.to_thread(self.read):
                    _log.info("Successfully reloaded weight file %s", self._path)
                trouble = ""
            except WeightsError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    _log.error("%s: the weights that were there before stay", trouble)


def _content(path: Path) -> bytes:
    """Raises WeightsError."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX + 1)
    except OSError as error:
        raise WeightsOpenError(f"weight file open error: {path}: {error.strerror}") from None
    if len(content) > FILE_MAX:
        raise WeightsError(f"weight file {path} is larger than {FILE_MAX} octets")
    return content


def parse_weights(text: str, file: str) -> Weights:
    """Names, each followed by lines of address and weight. Raises WeightsError."""
    found: dict[bytes, dict[bytes, int]] = {}
    current: dict[bytes, int] | None = None
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            raise WeightsError(f'could not parse weight line:"{line.strip()}" in weight file {file}')
        if len(words) == 1:
            current = found.setdefault(_name(words[0], file), {})
            continue
        address, weight = _weighed(words[0], words[1], file)
        if current is None:
            raise WeightsError(f"missing domain name in weight file {file}")
        current.setdefault(address, weight)
    return found


def _name(word: str, file: str) -> bytes:
    hint = "(Maybe a missing weight value?)"
    if packed(word) is not None:
        raise WeightsError(f'wrong domain name:"{word}" in weight file {file}. {hint}')
    try:
        return names.from_text(word).lower()
    except NameTextError:
        raise WeightsError(f'wrong domain name:"{word}" in weight file {file}. {hint}') from None


def _weighed(word: str, number: str, file: str) -> tuple[bytes, int]:
    address = packed(word)
    if address is None:
        raise WeightsError(f'wrong IP address:"{word}" in weight file {file}')
    weight = int(number) if number.isascii() and number.isdigit() and len(number) <= 3 else 0
    if not 0 < weight <= WEIGHT_MAX:
        raise WeightsError(f'wrong weight value:"{number}" in weight file {file}')
    return address, weight
