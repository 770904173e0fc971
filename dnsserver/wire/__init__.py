"""Octets of DNS messages to values and back. No sockets, no clocks, no event loop."""
