"""What can be wrong with a store, besides what is wrong with any."""

from dnsserver.store.errors import StoreError


class StoreInUseError(StoreError):
    """Another process writes the store."""


class DamagedError(StoreError):
    """What the store holds is not what was written."""
