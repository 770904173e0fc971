"""Sockets: UDP and TCP listeners. They carry octets and know nothing of DNS but its framing."""
