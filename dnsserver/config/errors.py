"""The one exception that configuration raises."""


class ConfigError(ValueError):
    """The configuration cannot be used; the text says where, what, and how to mend it.

    The form is CoreDNS's (coredns-compat.md, section 1.9): `FILE:LINE - Error during parsing: MESSAGE`.
    """
