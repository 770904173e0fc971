"""`--faults`: the script, and the file that exchanges are noted in."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path

from dnsserver.config import ConfigError
from dnsserver.faults import Exchange, FaultError, Faults, read_script

LOG = logging.getLogger("dnsserver.faults")


class _Notes:
    """Tells the log of what went wrong, and a file of all; a file that cannot be written is given up."""

    def __init__(self, file: FileIO | None) -> None:
        self._file = file

    def __call__(self, exchange: Exchange) -> None:
        if exchange.faults:
            LOG.info("%s", exchange)
        if self._file is None:
            return
        try:
            self._file.write(f"{exchange.as_json()}\n".encode())
        except OSError as error:
            LOG.error("%s: %s: the transcript ends here", self._file.name, error.strerror)
            self._file = None


@contextmanager
def faults_of(script: Path, seed: int, transcript: Path | None) -> Iterator[Faults]:
    """The faults of the file *script*; every exchange is noted in *transcript*, which begins anew.

    Raises ConfigError when one of the files cannot be used.
    """
    with ExitStack() as files:
        try:
            found = read_script(script.read_text(encoding="utf-8"), str(script))
            file = files.enter_context(transcript.open("wb", buffering=0)) if transcript else None
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}: name a file that can be used") from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{script}: not UTF-8 (octet {error.start}): save it as UTF-8") from None
        except FaultError as error:
            raise ConfigError(str(error)) from None
        yield Faults(found, seed=seed, told=_Notes(file))
