"""The plugin, where this checkout is not installed and pytest does not find it by its entry point."""

import pytest

from dnsserver.testing import pytest_plugin


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.is_registered(pytest_plugin):
        config.pluginmanager.register(pytest_plugin, "dnsserver")
