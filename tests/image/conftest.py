"""The image, built once for all tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.building import Image, build
from tests.support.tools import need_root


@pytest.fixture(scope="session")
def image() -> Image:
    need_root("building an image without a daemon")
    return build()


@pytest.fixture(scope="session")
def root(image: Image) -> Iterator[Path]:
    """The root file system of a container from it."""
    with image.buildah.container(image.number) as container, image.buildah.mounted(container) as place:
        yield place
