"""`dnsserver check`: load a Corefile and say what would be served."""

import argparse
import asyncio

from dnsserver.commands.arguments import add_conf, corefile_origin, read_corefile
from dnsserver.commands.printing import fail, say
from dnsserver.config import ConfigError
from dnsserver.runtime.check import check


def run(words: list[str]) -> int:
    options = _parser().parse_args(words)
    try:
        origin = corefile_origin(options.conf, options.port)
        say("\n".join(asyncio.run(check(read_corefile(origin), origin.directory))))
    except ConfigError as error:
        return fail(str(error))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnsserver check",
        allow_abbrev=False,
        description="Load a Corefile and say what would be served.",
    )
    add_conf(parser)
    return parser
