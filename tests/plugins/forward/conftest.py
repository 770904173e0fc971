"""Sockets that lie idle are closed with the plugin, or here: tests make handlers without the rest of it."""

from collections.abc import AsyncIterator

import pytest

from tests.plugins.forward.hasty import close_all


@pytest.fixture(autouse=True)
async def _sockets_are_closed() -> AsyncIterator[None]:
    yield
    close_all()
