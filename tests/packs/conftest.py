"""An Upshot with the clinic installed, on the kit that we ship."""

from collections.abc import Iterator

import pytest

from upshot.testing import Harness


@pytest.fixture
def clinic() -> Iterator[Harness]:
    with Harness() as harness:
        harness.upshot.packs.install("default", "clinic")
        yield harness
