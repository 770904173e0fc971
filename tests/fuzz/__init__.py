"""Seeded fuzzing. FUZZ_PACKETS is the number of packets per target; each failure names its seed and its octets.

FUZZ_PACKETS=1000000 pytest tests/fuzz      # the long run: some minutes
"""
