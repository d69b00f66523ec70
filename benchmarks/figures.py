"""What a benchmark prints: one JSON line per figure on standard output, progress on standard error."""

import json
import sys
import time
from collections.abc import Sequence


def show(
    figure: str, value: float, unit: str, *, store: str = "sqlite", peer: str | None = None, ratio: float | None = None
) -> None:
    """Print one figure. `ratio` is ours to the peer's, and above 1 when ours is better."""
    line: dict[str, str | float] = {"figure": figure, "store": store, "value": _rounded(value), "unit": unit}
    if peer is not None:
        line["peer"] = peer
    if ratio is not None:
        line["ratio"] = _rounded(ratio)
    print(json.dumps(line), flush=True)


def show_spread(
    figure: str, values: Sequence[float], unit: str, *, store: str = "sqlite", peer: str | None = None
) -> None:
    """Print p50, p95 and p99 of these values, each as a figure."""
    for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        show(f"{figure} {name}", percentile(values, share), unit, store=store, peer=peer)


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
