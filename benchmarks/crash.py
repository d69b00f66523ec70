"""kill -9 in the middle of 5,000 three-step runs, and a restart at once: seconds until all are completed, what was lost.

The process is killed when two of five runs have performed their third step. All acknowledged events are looked for afterwards:
lost is one whose run was not completed; performed again is a step whose effect happened more than once, by a trace outside
the database (`peers/tracing.py`): steps in flight at the kill may be, kept ones may not. On PostgreSQL also with two worker
processes, both killed and both restarted. The clock starts when the new processes are started.

Of a peer everything but its store is killed; of Restate, the server too. Seconds are to the body of the last third step.
"""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import machine
import uvloop
from figures import say, show
from fleet import start_worker
from measured_engine import UNFINISHED, MeasuredEngine, prepare
from options import Options, read_options
from peers import ways
from peers.peer import NotInstalled, Recovered
from peers.tracing import Trace, Tracing
from runs import batches
from stores import fresh_store

from upshot import Upshot

ENGINE = Path(__file__).with_name("crash_engine.py")
WITHIN_SECONDS = 300.0
GOAL_SECONDS = 3.0
FIGURE = "kill -9 in the middle of {:,} runs{}: "
SLOW = frozenset({"procrastinate", "celery", "bullmq"})
"""Peers that take half a minute or more: not with --quick."""


def embedded(url: str, folder: Path, count: int) -> Recovered:
    """Kill the process that accepts and drives the runs."""
    trace = Trace(folder)
    first = start(url, folder, count)
    kill_in_the_middle([first], trace, count)
    began = time.monotonic_ns()
    second = start(url, folder, 0)
    if second.wait(WITHIN_SECONDS) != 0:
        raise SystemExit("the restarted engine failed; what it said is above")
    trace.read()
    return recovered(url, trace, (trace.times["e"]["all"][-1] - began) / 1e9)


def fleet(url: str, folder: Path, count: int, number: int) -> Recovered:
    """Kill so many worker processes, to which this process gives its events."""
    trace, upshot = Trace(folder), Upshot(url)
    engine = MeasuredEngine(upshot)
    prepare(upshot)
    uvloop.run(give(engine, folder, count))
    processes = [start_worker(url, folder) for _ in range(number)]
    kill_in_the_middle(processes, trace, count)
    began = time.monotonic()
    processes = [start_worker(url, folder) for _ in range(number)]
    while engine.count(UNFINISHED):
        if time.monotonic() - began > WITHIN_SECONDS:
            raise SystemExit("the restarted workers did not end what there is")
        time.sleep(0.02)
    seconds = time.monotonic() - began
    for process in processes:
        process.terminate()
        process.wait(30)
    upshot.close()
    return recovered(url, trace, seconds)


async def give(engine: MeasuredEngine, folder: Path, count: int) -> None:
    """Have these events accepted by this process."""
    tracing = Tracing(str(folder))
    for number, batch in enumerate(batches(0, count)):
        await engine.accept(batch)
        for key in range(number * 1_000, number * 1_000 + len(batch)):
            tracing.note(str(key), "a")
    await asyncio.sleep(0)


def start(url: str, folder: Path, count: int) -> "subprocess.Popen[str]":
    """Start a process that accepts so many events, drives all runs and ends when nothing is left."""
    return subprocess.Popen([sys.executable, ENGINE, url, folder, str(count)], text=True)


def kill_in_the_middle(processes: "list[subprocess.Popen[str]]", trace: Trace, count: int) -> None:
    """SIGKILL for all when two of five of the runs have performed their third step."""
    if not trace.wait(lambda: len(trace.times["3"]) >= count * 2 // 5, WITHIN_SECONDS):
        raise SystemExit("two of five runs did not end in time; what the processes said is above")
    for process in processes:
        process.send_signal(signal.SIGKILL)
    for process in processes:
        process.wait()
    trace.read()
    ended, acknowledged = len(trace.times["3"]), len(trace.times["a"])
    say(f"killed with {ended:,} of {acknowledged:,} acknowledged runs ended")


def recovered(url: str, trace: Trace, seconds: float) -> Recovered:
    """What became of the acknowledged events. Ends the process when the database says otherwise than the trace."""
    trace.read()
    acknowledged = trace.times["a"]
    lost = sum(key not in trace.times["3"] for key in acknowledged)
    repeated = sum(len(moments) > 1 for step in "123" for moments in trace.times[step].values())
    upshot = Upshot(url)
    runs, steps = MeasuredEngine(upshot).kept()
    upshot.close()
    if runs < len(acknowledged) - lost or steps != 3 * runs:
        raise SystemExit(f"{runs} runs completed with {steps} steps of {len(acknowledged)}: the figure is worthless")
    return Recovered(seconds, lost, repeated, len(acknowledged))


def show_recovered(
    name: str, found: Recovered, store: str, peer: str | None = None, ratio: float | None = None
) -> None:
    """Print the three figures; ours have goals."""
    goal, none = (None, None) if peer else (GOAL_SECONDS, 0)
    show(f"{name}all completed", found.seconds, "s", store=store, peer=peer, ratio=ratio, at_most=goal)
    show(f"{name}lost", found.lost, "runs", store=store, peer=peer, at_most=none)
    show(f"{name}performed again", found.repeated, "steps", store=store, peer=peer)


def measure_peers(options: Options, folder: Path, ours: float) -> None:
    """Print each way of each peer."""
    for peer in options.peers:
        if options.is_quick and peer in SLOW:
            say(f"{peer} takes half a minute or more here: not with --quick")
            continue
        for way in ways(peer, "crash", folder):
            count = way.runs // 5 if options.is_quick else way.runs
            try:
                with way:
                    say(f"{way.label} on {way.store}: kill -9 in the middle of {count:,} runs")
                    found = way.recovery(count, way.recovery_seconds)
            except NotInstalled as error:
                say(f"{peer} is left out: {error}")
                continue
            show_recovered(FIGURE.format(count, ""), found, way.store, way.label, found.seconds / ours)


def main() -> None:
    """Measure us, then the peers. A peer's ratio is against the slower of our stores that were measured (one process)."""
    options = read_options(__doc__, peers=True)
    count = 2_000 if options.is_quick else 5_000
    ours: list[float] = []
    with machine.fresh_folder() as folder:
        for store in options.stores:
            (place := folder / store).mkdir(mode=0o755)
            say(f"upshot on {store}: kill -9 in the middle of {count:,} runs")
            with fresh_store(store, place) as url:
                found = embedded(url, place, count)
            ours.append(found.seconds)
            show_recovered(FIGURE.format(count, ""), found, store)
            if store == "postgres":
                (place := folder / "fleet").mkdir(mode=0o755)
                with fresh_store(store, place) as url:
                    found = fleet(url, place, count, 2)
                show_recovered(FIGURE.format(count, ", 2 workers"), found, store)
        measure_peers(options, folder, max(ours))


if __name__ == "__main__":
    main()
