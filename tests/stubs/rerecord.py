"""Write `recorded/NAME.json` from what COMMAND does: see `test_recorded`."""

import json
import sys

from tests.stubs.libraries import record
from tests.stubs.test_recorded import RECORDED, RECORDINGS

if __name__ == "__main__":
    name, *command = sys.argv[1:]
    if name not in RECORDINGS or not command:
        sys.exit(f"usage: python -m tests.stubs.rerecord {{{','.join(RECORDINGS)}}} COMMAND...")
    lines = [f"{json.dumps(title)}: {json.dumps(told)}" for title, told in record(command).items()]
    (RECORDED / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
