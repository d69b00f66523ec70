"""What holds for every test."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores import STORES, store
from upshot.adapters.clock import ids_from

settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each has an id of its own, since of two with the same one xdist runs one and is silent: schemathesis names all operations
    of a test alike. Those that may take long come first, so that no process is left alone with one at the end."""
    for item in items:
        if (operation := getattr(item, "operation_label", None)) is not None:
            item._id = replace(item.id, params=operation)
    twice = [node_id for node_id, number in Counter(item.nodeid for item in items).items() if number > 1]
    if twice:
        raise pytest.UsageError(f"Several tests have the id {twice[0]}: only one of them would be run.")
    if config.getoption("loadgroup", False):
        _name_groups(items)
    items.sort(key=lambda item: -max((mark.args[0] for mark in item.iter_markers("timeout")), default=0))


def _name_groups(items: list[pytest.Item]) -> None:
    """Say each `xdist_group` in its id, where xdist looks for it: pytest 9.2 does not read what xdist 3.8 writes there."""
    for item in items:
        if (group := item.get_closest_marker("xdist_group")) is not None:
            item._id = type(item.id).parse(f"{item.nodeid}@{group.args[0]}")


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
