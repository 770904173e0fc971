"""DNS on each node, as NodeLocal DNSCache has it (coredns-compat.md, section 7; docs/node-local.md)."""

from dnsserver.node.errors import NodeError
from dnsserver.node.settings import NodeSettings

__all__ = ["NodeError", "NodeSettings"]
