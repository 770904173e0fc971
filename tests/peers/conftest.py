"""Collected only where `COREDNS` names a coredns program (1.14.7; the tables are about that one)."""

import os

_ABOUT_IT = [
    "test_coredns.py",
    "test_coredns_cache.py",
    "test_coredns_compare.py",
    "test_coredns_corefiles.py",
    "test_coredns_names.py",
    "test_coredns_small.py",
    "test_coredns_zones.py",
    "test_texts.py",
]
collect_ignore = [] if os.environ.get("COREDNS") else _ABOUT_IT
