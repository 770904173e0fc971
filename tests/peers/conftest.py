"""Collected only where `COREDNS` names a coredns program (1.14.7; the tables are about that one)."""

import os

collect_ignore = [] if os.environ.get("COREDNS") else ["test_coredns.py", "test_coredns_zones.py"]
