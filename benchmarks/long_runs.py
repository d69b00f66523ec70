"""What a step costs in a long run against one in a short run, and what a `for_each` of 10,000 items costs.

So many runs at once, first of an automation of 10 trivial actions, then of one of 1,000; as many steps of each in all. Then
single runs of a trivial action for each of 1,000 and of 10,000 items, 100 at once, and how far the process grows by it; and the
same with a run of another automation for each item, which has that action, and is waited for. The
clock starts before a round of events is given and stops when the last of its runs is over. What was kept is counted in the
database afterwards: every run completed and every step kept, or there is no figure.
"""

import time
from pathlib import Path
from typing import Any

import machine
import uvloop
from figures import say, show
from measured_engine import EVENT, PATIENT, event, run_engine
from options import read_options
from stores import fresh_store

SHORT, LONG = 10, 1_000
AT_ONCE = 20
RATIO_MAX = 2.0
FEW, MANY = 1_000, 10_000
ITEMS_AT_ONCE = 100
CALLING = "clinic/list.sent"


def document(steps: int) -> dict[str, Any]:
    """An automation of so many trivial actions."""
    names = ["note", *("remind" for _ in range(steps - 2)), "report"]
    listed = [{"id": f"step {at}", "action": f"bench_{name}", "with": PATIENT} for at, name in enumerate(names)]
    return {"name": f"{steps} steps", "trigger": {"event": EVENT}, "steps": listed}


async def measure(url: str, steps: int, rounds: int) -> float:
    """Microseconds per step."""
    async with run_engine(url, document(steps)) as engine:
        seconds = 0.0
        for turn in range(rounds + 1):  # the first warms up
            before, began = engine.ended, time.perf_counter()
            await engine.accept([event(str(before + number)) for number in range(AT_ONCE)])
            await engine.until_ended(before + AT_ONCE)
            seconds += time.perf_counter() - began if turn else 0.0
        engine.check_kept(runs=AT_ONCE * (rounds + 1), steps_each=steps)
    return 1e6 * seconds / (AT_ONCE * rounds * steps)


def looping() -> dict[str, Any]:
    """An automation of a trivial action for each item of the event, and one to end with."""
    each = {"id": "each", "for_each": "{{ appointment.items }}", "action": "bench_remind", "concurrency": ITEMS_AT_ONCE}
    steps = [{**each, "with": {"patientId": "{{ item }}"}}, {"id": "report", "action": "bench_report", "with": PATIENT}]
    return {"name": "For each", "trigger": {"event": EVENT}, "steps": steps}


async def measure_items(url: str, items: int) -> tuple[float, float]:
    """Microseconds per item of one run, and the megabytes that the process grew by."""
    async with run_engine(url, looping()) as engine:
        await engine.accept([event("warm", items=["w"] * FEW)])
        await engine.until_ended(1)
        before, began = machine.memory_mb(), time.perf_counter()
        await engine.accept([event("run", items=[f"i-{number}" for number in range(items)])])
        await engine.until_ended(2)
        seconds, grown = time.perf_counter() - began, machine.memory_mb() - before
        have = engine.kept()
        if have != (2, FEW + items + 6):
            raise SystemExit(f"{have} runs and steps are kept: the figure is worthless.")
    return 1e6 * seconds / items, grown


def calling(automation_id: str) -> dict[str, Any]:
    """An automation of a run of another one for each item of the event, and an action to end with."""
    each = {"id": "each", "for_each": "{{ items }}", "call": automation_id, "concurrency": ITEMS_AT_ONCE}
    end = {"id": "report", "action": "bench_report", "with": {"patientId": "run"}}
    steps = [{**each, "with": {"patientId": "{{ item }}"}}, end]
    return {"name": "Called for each", "trigger": {"event": CALLING}, "steps": steps, "status": "active"}


async def measure_called(url: str, items: int) -> tuple[float, float, float]:
    """Microseconds per item of one run that calls, and the megabytes that the process has before and after it."""
    remind = {"id": "remind", "action": "bench_remind", "with": {"patientId": "{{ patientId }}"}}
    callee = {"name": "Called", "trigger": {"manual": True}, "steps": [remind], "status": "active"}
    async with run_engine(url, document(SHORT)) as engine:
        automations = engine.upshot.automations
        automations.create("default", calling(automations.create("default", callee)["id"]))
        await engine.accept([{"name": CALLING, "data": {"items": ["w"] * SHORT}}])
        await engine.until_ended(1)
        before, began = machine.memory_mb(), time.perf_counter()
        await engine.accept([{"name": CALLING, "data": {"items": [f"i-{number}" for number in range(items)]}}])
        await engine.until_ended(2)
        seconds, after = time.perf_counter() - began, machine.memory_mb()
        have = engine.kept()
        if have != (2 + SHORT + items, 2 * (SHORT + items) + 6):
            raise SystemExit(f"{have} runs and steps are kept: the figure is worthless.")
    return 1e6 * seconds / items, before, after


def show_items(store: str, folder: Path) -> None:
    """Measure and show what items cost."""
    costs: dict[int, float] = {}
    for items in (FEW, MANY):
        with fresh_store(store, folder, f"items-{items}") as url:
            costs[items], grown = uvloop.run(measure_items(url, items))
        show(f"an item of a for_each of {items:,}", costs[items], "us", store=store)
        show(f"memory that a for_each of {items:,} takes", grown, "MB", store=store)
    ratio = costs[MANY] / costs[FEW]
    show(f"an item of {MANY:,} against one of {FEW:,}", ratio, "x", store=store, at_most=RATIO_MAX)
    for items in (FEW, MANY):
        with fresh_store(store, folder, f"called-{items}") as url:
            costs[items], before, after = uvloop.run(measure_called(url, items))
        seconds = costs[items] * items / 1e6
        say(
            f"{store}: {items:,} called in {seconds:.1f} s, {items / seconds:,.0f} a second; {before:.0f} MB, then {after:.0f}"
        )
        show(f"an item of a for_each of {items:,} that calls", costs[items], "us", store=store)
        show(f"memory that a for_each of {items:,} that calls takes", after - before, "MB", store=store)
    ratio = costs[MANY] / costs[FEW]
    show(f"an item of {MANY:,} that calls against one of {FEW:,}", ratio, "x", store=store, at_most=RATIO_MAX)


def main() -> None:
    """Measure both, their ratio, and items."""
    options = read_options(__doc__)
    rounds = 1 if options.is_quick else 2
    with machine.fresh_folder() as folder:
        for store in options.stores:
            costs: dict[int, float] = {}
            for steps in (SHORT, LONG):
                with fresh_store(store, folder, f"steps-{steps}") as url:
                    costs[steps] = uvloop.run(measure(url, steps, rounds * LONG // steps))
                say(f"{store}: {costs[steps]:,.0f} microseconds for a step of {steps:,}")
                show(f"a step of a run of {steps:,}", costs[steps], "us", store=store)
            ratio = costs[LONG] / costs[SHORT]
            show(f"a step of {LONG:,} against one of {SHORT}", ratio, "x", store=store, at_most=RATIO_MAX)
            show_items(store, folder)


if __name__ == "__main__":
    main()
