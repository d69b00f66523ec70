"""What holds for every test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores import STORES, store
from upshot.adapters.clock import ids_from

settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take long come first, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: -max((mark.args[0] for mark in item.iter_markers("timeout")), default=0))


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database: each test that takes it runs on SQLite and on PostgreSQL."""
    with store(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def own_ids() -> Iterator[None]:
    """Ids made for this test's own time: the process's never go back, and other tests live in the future."""
    with ids_from(os.urandom):
        yield
