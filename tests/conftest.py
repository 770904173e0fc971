"""Which tests run while nothing else does."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
#: Folders of tests that put the server under load, or measure time in what real programs do.
ALONE = ("chaos",)
#: A project of its own, whose tests are run in an environment of its own (testing/test_sample_project.py).
collect_ignore = ["sample_project"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).parts[0] in ALONE:
            item.add_marker("alone")


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """What a test makes the program print of its log is not printed in the tests after it, in the same process."""
    logger = logging.getLogger("dnsserver")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
