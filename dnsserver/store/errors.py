"""What can be wrong with a place for a cluster's state."""


class StoreError(Exception):
    """The text says what cannot be done, where, and how to mend it."""
