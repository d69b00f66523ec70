"""A hundred kills at random moments; `make chaos` makes a thousand."""

from pathlib import Path

import pytest

from tests.crash.random_kills import kill_often
from tests.stores import STORES

KILLS = 50
SEED = 20261121


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", STORES)
def test_fifty_kills_at_random_lose_and_repeat_nothing(kind: str, tmp_path: Path) -> None:
    assert kill_often(kind, tmp_path, SEED, KILLS) > KILLS
