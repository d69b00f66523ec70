"""The command line that every benchmark has."""

import argparse
import signal
import sys
from dataclasses import dataclass

import machine
from figures import note_foreign
from peers import PEERS

STORES = ("sqlite", "postgres")


@dataclass(frozen=True)
class Options:
    """What to measure: our stores, the peers beside us, how many worker processes, and how long it may take."""

    stores: tuple[str, ...]
    peers: tuple[str, ...]
    workers: tuple[int, ...]
    is_quick: bool
    is_long: bool


def read_options(
    about: str | None,
    *,
    peers: bool = False,
    workers: bool = False,
    long: bool = False,
    stores: tuple[str, ...] = STORES,
) -> Options:
    """The command line of a benchmark. Ends the process (2) when it is wrong. Looks how busy the machine is."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if stores:
        parser.add_argument("--store", action="append", choices=stores, help="our store; both can be named")
    if peers:
        choices = (*PEERS, "all")
        parser.add_argument("--peer", action="append", choices=choices, default=[], help="measure it beside us")
    if workers:
        text = "PostgreSQL: also with so many worker processes, like 1,2,4"
        parser.add_argument("--workers", type=_numbers, default=(), help=text)
    parser.add_argument("--quick", action="store_true", help="fewer samples: done in under 40 seconds a store or peer")
    if long:
        parser.add_argument("--long", action="store_true", help="in full size, which takes many minutes")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    note_foreign(machine.busy_cores())
    named = tuple(getattr(given, "peer", ()))
    return Options(
        stores=tuple(dict.fromkeys(getattr(given, "store", None) or stores[:1])),
        peers=tuple(PEERS) if "all" in named else tuple(dict.fromkeys(named)),
        workers=tuple(getattr(given, "workers", ())),
        is_quick=given.quick,
        is_long=getattr(given, "long", False),
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))
