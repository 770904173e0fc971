"""What is wrong with a text that should be records."""


class RecordTextError(ValueError):
    """The text is no record; the message says what is wrong with it, without a place."""


class ZoneFileError(Exception):
    """The file cannot be used as a zone: `db.example:12: unknown type 'AX'`."""
