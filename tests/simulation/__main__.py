"""Simulate seeds: `python -m tests.simulation --seed 1234`, or `--seeds 500`, or `--seconds 600 [--from SEED]`."""

import argparse
import json
import logging
import random
import sys
import time

from tests.simulation.faults import Faults
from tests.simulation.world import Broken, simulate

PROGRESS_SECONDS = 10


def main() -> int:
    """The exit status: 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument(
        "--faults", type=json.loads, help="with --seed: these rates, as JSON, in place of the seed's own"
    )
    parser.add_argument("--seeds", type=int, help="this many")
    parser.add_argument("--seconds", type=float, default=60, help="as many as fit into this time")
    parser.add_argument("--from", dest="first", type=int, help="the first seed; else one is drawn and printed")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure")
    parser.add_argument("--verbose", action="store_true", help="show what the engine logs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO if given.verbose else logging.CRITICAL + 1)
    if given.seed is not None:
        return _one(given.seed, Faults(given.faults) if given.faults is not None else None)
    first = given.first if given.first is not None else random.SystemRandom().randrange(10**9)
    print(f"simulating from seed {first}", flush=True)
    began, told, done, failed = time.monotonic(), time.monotonic(), 0, 0
    while done < given.seeds if given.seeds else time.monotonic() - began < given.seconds:
        try:
            simulate(first + done)
        except Broken as broken:
            print(broken, flush=True)
            failed += 1
            if not given.keep_going:
                break
        done += 1
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{done} seeds, {done / (told - began):.1f} a second", flush=True)
    seconds = time.monotonic() - began
    print(f"{done} seeds from {first} in {seconds:.0f} s ({done / seconds:.1f} a second), {failed} broken", flush=True)
    return 1 if failed else 0


def _one(seed: int, faults: Faults | None) -> int:
    try:
        print(simulate(seed, faults))
    except Broken as broken:
        print(broken)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
