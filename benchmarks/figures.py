"""What a benchmark prints: one JSON line per figure on standard output, progress on standard error."""

import json
import sys
import time
from collections.abc import Sequence

FOREIGN_MIN = 0.3
"""What other programs may take of a core before a figure says so."""
_foreign = [0.0]


def note_foreign(cores: float) -> None:
    """Other programs were seen to take so many cores: from now on each figure says so, unless it is next to nothing."""
    _foreign[0] = cores
    if cores > FOREIGN_MIN:
        say(f"other programs take {cores:.1f} of the cores: the figures suffer from it")


def show(
    figure: str,
    value: float,
    unit: str,
    *,
    store: str = "sqlite",
    peer: str | None = None,
    ratio: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Print one figure. `ratio` is ours to the peer's, and above 1 when ours is better; `at_least` or `at_most` is its goal."""
    line: dict[str, str | float] = {"figure": figure, "store": store, "value": _rounded(value), "unit": unit}
    if peer is not None:
        line["peer"] = peer
    if ratio is not None:
        line["ratio"] = _rounded(ratio)
    if at_least is not None:
        line |= {"goal": f">= {at_least:,}", "met": value >= at_least}
    if at_most is not None:
        line |= {"goal": f"<= {at_most:,}", "met": value <= at_most}
    if _foreign[0] > FOREIGN_MIN:
        line["foreign_cores"] = _rounded(_foreign[0])
    print(json.dumps(line), flush=True)


def show_spread(
    figure: str,
    values: Sequence[float],
    unit: str,
    *,
    store: str = "sqlite",
    peer: str | None = None,
    p50_at_most: float | None = None,
    p99_at_most: float | None = None,
    p50_ratio: float | None = None,
    p99_ratio: float | None = None,
) -> None:
    """Print p50, p95 and p99 of these values, each as a figure."""
    goals, ratios = {"p50": p50_at_most, "p99": p99_at_most}, {"p50": p50_ratio, "p99": p99_ratio}
    for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        value = percentile(values, share)
        more = {"ratio": ratios.get(name), "at_most": goals.get(name)}
        show(f"{figure} {name}", value, unit, store=store, peer=peer, **more)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def say(text: str) -> None:
    """Say on standard error what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _rounded(value: float) -> float:
    """Three significant figures after the first; whole above a thousand."""
    return round(value) if abs(value) >= 1_000 else float(f"{value:.4g}")
