"""Runs of 1,000 steps, and lists of 10,000 items: what they need of memory is a little for each outcome."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upshot import Upshot
from upshot.testing import Harness, VirtualClock
from upshot.testing.harness import new_file

STEPS, ITEMS = 1_000, 10_000
WARM = 100
DEADLINE_SECONDS = 240
KIB = 1024
EACH_MAX = 3 * KIB
"""What one kept step may take while its run goes on, at the most: its outcome, and its share of what is being written."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """It is the memory of this process, whatever the store."""
    return new_file(tmp_path)


def build(url: str, clock: VirtualClock) -> Upshot:
    upshot = Upshot(url, clock=clock)

    @upshot.action("weigh")
    async def weigh(args: dict[str, Any]) -> dict[str, Any]:
        return {"weight": args["number"]}

    return upshot


def of_steps(number: int) -> dict[str, Any]:
    weigh = {"action": "weigh", "with": {"number": "{{ number }}"}}
    return {"steps": [{"id": f"step {at}", **weigh} for at in range(number)]}


def of_items() -> dict[str, Any]:
    each = {"id": "each", "for_each": "{{ items }}", "action": "weigh", "concurrency": 50}
    return {"steps": [{**each, "with": {"number": "{{ item }}"}}]}


def highest_growth(run: Callable[[], object]) -> int:
    """By how many bytes memory grew at its highest while this ran."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def run_to_its_end(harness: Harness, event: dict[str, Any]) -> None:
    """Accept it, and wait until all that follows is done, however slow this machine is."""
    harness.upshot.events.accept("default", [event])
    engine = harness.upshot.engine
    assert engine.loop is not None
    asyncio.run_coroutine_threadsafe(engine.idle(), engine.loop).result(DEADLINE_SECONDS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["steps", "items"])
def test_what_a_long_run_needs_is_a_little_for_each_step_and_nothing_is_held(url: str, kind: str) -> None:
    small, large = (of_steps(WARM), of_steps(STEPS)) if kind == "steps" else (of_items(), of_items())
    count = STEPS if kind == "steps" else ITEMS
    with Harness(build, url=url) as harness:
        for name, document in (("small", small), ("large", large)):
            made = {"name": name, "trigger": name, "status": "active", **document}
            harness.upshot.automations.create("default", made)
        harness.emit("small", {"number": 1, "items": list(range(WARM))})
        data = {"number": 1, "items": list(range(count if kind == "items" else 0))}
        grown = highest_growth(lambda: run_to_its_end(harness, {"name": "large", "data": data}))
        (run,) = harness.upshot.runs.page("default", limit=1).items
        assert (run["automation"]["name"], run["status"]) == ("large", "completed")
        engine = harness.upshot.engine.run
        assert (engine.is_idle(), len(engine.forks), len(engine.sleeping)) == (True, 0, 0)
    assert grown < count * EACH_MAX, f"{grown / count:.0f} bytes for each"
