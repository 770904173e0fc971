"""`python -m dnsserver` and the command `dnsserver`: the command line of `cli.py`, which takes 0.3 s to import."""

import os
import signal
import sys

#: Exit code of Ctrl-C before the server handles signals, as a shell reports it: 128 and the number of SIGINT.
INTERRUPTED_EXIT = 128 + signal.SIGINT


def main() -> int:
    """Run one command; returns the exit code. Ctrl-C ends it without a word at any time."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as by nohup
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED_EXIT))
    try:
        from dnsserver.cli import main as command_line

        return command_line()
    except KeyboardInterrupt:  # the event loop has ended, and left the usual handler behind
        return INTERRUPTED_EXIT


if __name__ == "__main__":
    sys.exit(main())
