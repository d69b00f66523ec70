"""What the engine logs about a thousand drawn faults is not shown; `python -m tests.simulation --seed N --verbose` shows it."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
