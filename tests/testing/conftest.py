"""The plugin, where this checkout is not installed and pytest does not find it by its entry point; a watch."""

import pytest

from dnsserver.testing import pytest_plugin
from tests.support.addresses import AddressWatch


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.is_registered(pytest_plugin):
        config.pluginmanager.register(pytest_plugin, "dnsserver")


@pytest.fixture(scope="session")
def watch() -> AddressWatch:
    return AddressWatch()
