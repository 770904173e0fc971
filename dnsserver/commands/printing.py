"""What a command says, and how it ends."""

import os
import sys


def say(text: str) -> None:
    """Print on standard output. Whoever reads it may have gone, or its disk be full: DNS goes on."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(text: str) -> int:
    """Print on standard error; returns the exit code of a failure."""
    print(text, file=sys.stderr)
    return 1
