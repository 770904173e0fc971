"""Renderings as a whole: a change of the chart shows what it changes."""

import pytest

from tests.chart import golden

pytestmark = pytest.mark.tool("helm")


@pytest.mark.parametrize("case", golden.CASES)
def test_rendering(case: str) -> None:
    assert golden.rendered(case) == golden.path(case).read_text(), (
        "the rendering has changed; if it should, run: python -m tests.chart.golden"
    )


def test_no_rendering_is_left_over() -> None:
    assert {path.stem for path in golden.FOLDER.iterdir()} == set(golden.CASES)
