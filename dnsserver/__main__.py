"""`python -m dnsserver`: the command line of `cli.py`."""

import sys

from dnsserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
