"""Which tests run while nothing else does."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
#: Folders of tests that put the server under load, or measure time in what real programs do.
ALONE = ("chaos",)
#: Files that take longest, begun first: what is begun last is waited for while other processes have nothing left to do.
LONGEST = (
    "fast/test_judge_fronts.py",
    "fast/test_judge.py",
    "plugins/prometheus/test_promql.py",
    "testing/test_plugin_costs.py",
    "corefiles/test_behaviour.py",
    "end_to_end/test_compare.py",
    "node/test_serving.py",
    "zone/test_listing.py",
    "store/lmdb/test_same_answers.py",
    "answers/test_answers.py",
    "fuzz/test_live.py",
    "image/test_swap.py",
    "image/test_start.py",
)
#: A project of its own, whose tests are run in an environment of its own (testing/test_sample_project.py).
collect_ignore = ["sample_project"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).parts[0] in ALONE:
            item.add_marker("alone")
    places = {HERE / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """What a test makes the program print of its log is not printed in the tests after it, in the same process."""
    logger = logging.getLogger("dnsserver")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
