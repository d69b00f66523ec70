"""The command line that every benchmark has."""

import argparse
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What to measure: our store, the peers beside us, and whether to be done in under 40 seconds."""

    store: str
    peers: tuple[str, ...]
    is_quick: bool


def read_options(about: str | None, *, peers: tuple[str, ...] = ()) -> Options:
    """The command line of a benchmark whose work these peers can do too. Ends the process (2) when it is wrong."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite", help="our store")
    if peers:
        parser.add_argument("--peer", action="append", choices=peers, default=[], help="measure this peer beside us")
    parser.add_argument("--quick", action="store_true", help="fewer samples: done in under 40 seconds")
    given = parser.parse_args()
    if given.store == "postgres":
        print("Upshot does not run on PostgreSQL yet; measure --store sqlite.", file=sys.stderr)
        raise SystemExit(2)
    return Options(given.store, tuple(given.peer) if peers else (), given.quick)
