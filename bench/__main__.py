"""`python -m bench [SCENE...]`: all scenes, or those named."""

import asyncio
import os
import platform
import sys

from bench.scenes import NAMES, run


def main() -> int:
    names = sys.argv[1:] or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown scene: {' '.join(unknown)}; there are: {' '.join(NAMES)}", file=sys.stderr)
        return 2
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )
    asyncio.run(run(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
