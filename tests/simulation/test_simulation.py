"""The engine lives through worlds that only a seed determines, whatever goes wrong: `python -m tests.simulation`."""

import os
import subprocess
import sys

import pytest

from tests.simulation.faults import KINDS, RATES, Faults
from tests.simulation.queues import QUEUED_FROM
from tests.simulation.segments import SEGMENTED_FROM
from tests.simulation.world import Broken, World, simulate

SEEDS = 160
PARTS = 16

SEGMENTED = QUEUED = 16

REGRESSIONS = {
    "a worker that drives more runs than it has room for spun on a due timer": (
        14,
        {"small": 1.0, "crash": 1.0, "effect_slow": 0.5},
    ),
    "timers set while a window was on its way were not seen": (11, {"cut_applied": 0.3, "slow": 0.4}),
    "a slow relay reopened a row that another had published": (27, {"pause": 0.6, "busy": 0.3, "slow": 0.1}),
}
"""Each of these once broke an invariant; seed and faults."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_invariants_hold_whatever_happens(part: int) -> None:
    for seed in range(part, SEEDS, PARTS):
        simulate(seed)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_invariants_hold_over_segments(part: int) -> None:
    for seed in range(SEGMENTED_FROM + part, SEGMENTED_FROM + SEGMENTED, PARTS):
        simulate(seed)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_invariants_hold_over_several_queues(part: int) -> None:
    for seed in range(QUEUED_FROM + part, QUEUED_FROM + QUEUED, PARTS):
        simulate(seed)


@pytest.mark.parametrize(
    ("seed", "rates"), REGRESSIONS.values(), ids=[words.replace(" ", "_") for words in REGRESSIONS]
)
def test_what_once_went_wrong_does_not(seed: int, rates: dict[str, float]) -> None:
    simulate(seed, Faults(dict(rates)))


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_by_itself_at_its_highest_rate(kind: str) -> None:
    simulate(SEGMENTED_FROM if kind == "segment" else 7, Faults({kind: RATES[kind][1]}))


def test_a_calm_world_does_what_was_asked() -> None:
    lived = simulate(14, Faults({}))
    assert lived["runs"] > 5
    assert lived["calls"] > lived["runs"]


def test_a_seed_lives_the_same_life_again_in_another_process() -> None:
    program = "from tests.simulation.world import simulate; print(simulate(21)['digest'], simulate(22)['digest'])"
    lives: set[str] = set()
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        lived = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
        )
        assert lived.returncode == 0, lived.stderr
        lives.add(lived.stdout)
    assert lives == {f"{simulate(21)['digest']} {simulate(22)['digest']}\n"}


def test_a_failure_says_which_seed_replays_it() -> None:
    with World(33, Faults({})) as world:
        world.run_for(1)
        world.broken("I0", "said for this test")
        with pytest.raises(Broken) as broken:
            world.step()
    assert "-m tests.simulation --seed 33" in str(broken.value)
    assert "the last 50 calls" in str(broken.value)
