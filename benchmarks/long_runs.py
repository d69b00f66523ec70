"""What a step costs in a long run against one in a short run.

So many runs at once, first of an automation of 10 trivial actions, then of one of 1,000; as many steps of each in all. The
clock starts before a round of events is given and stops when the last of its runs is over. What was kept is counted in the
database afterwards: every run completed and every step kept, or there is no figure.
"""

import time
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


def main() -> None:
    """Measure both and their ratio."""
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


if __name__ == "__main__":
    main()
