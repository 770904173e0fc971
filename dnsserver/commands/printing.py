"""What a command says, and how it ends."""

import os
import sys


def say(text: str) -> None:
    """Print on standard output. Whoever reads it may have gone, or its disk be full: DNS goes on."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def in_colour(wanted: str) -> bool:
    """Whether to print in colour: `always`, `never`, or `auto`, on terminals as https://no-color.org has it."""
    if wanted != "auto":
        return wanted == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def note(text: str) -> None:
    """Print on standard error what is said besides the output."""
    print(text, file=sys.stderr)


def fail(text: str) -> int:
    """Print on standard error; returns the exit code of a failure."""
    print(text, file=sys.stderr)
    return 1


def progress(text: str) -> None:
    """Replace the last line of a terminal on standard error; nothing where that is none."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def end_progress() -> None:
    """Clear that line."""
    progress("")
