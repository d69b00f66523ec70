"""Exposition: every metric's name, meaning and labels in one table, and their text as Prometheus reads it.

A name that is not in the table cannot be shown; `docs/operations/metrics.md` is held to it by a test. No label holds a
tenant, an id or anything personal: every label's values are a short list that is known beforehand.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from upshot.core.instants import SECOND
from upshot.core.statuses import DEAD_LETTER, RUN, RUN_OVER, final_statuses
from upshot.engine.metrics import BOUNDS, REASONS, Histogram, Metrics
from upshot.store.snapshot import Snapshot

PREFIX: Final = "upshot_"
MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
EVENT_OUTCOMES: Final = ("accepted", "duplicate", "rejected")


class Metric(msgspec.Struct, frozen=True):
    """One metric: its kind (`gauge`, `counter`, `histogram`), where its number comes from (`store`: of the whole installation,
    the same from every process; `process`: of this one since it started), what it says, and its label."""

    kind: str
    source: str
    says: str
    label: str | None = None


METRICS: Final[dict[str, Metric]] = {
    "store_up": Metric("gauge", "store", "1 when the database could be read for this answer"),
    "runs": Metric("gauge", "store", "runs by status, as /stats counts them for one tenant", "status"),
    "events_kept": Metric("gauge", "store", "events ever accepted, as /stats counts them for one tenant"),
    "outbox_pending": Metric("gauge", "store", "outbox rows that are yet to be relayed"),
    "outbox_oldest_seconds": Metric("gauge", "store", "age of the oldest that no relay has looked at"),
    "log_lag_events": Metric("gauge", "store", "accepted events that are yet to be matched"),
    "log_lag_oldest_seconds": Metric("gauge", "store", "age of the oldest of them"),
    "queue_depth": Metric("gauge", "store", "runs that are ready and that nobody drives", "queue"),
    "queue_oldest_runnable_seconds": Metric("gauge", "store", "how long the oldest of them has been ready", "queue"),
    "runs_kept_back": Metric("gauge", "store", "runs that flow control keeps back, by what it says of them", "reason"),
    "waits_open": Metric("gauge", "store", "steps that wait for an event"),
    "leases_active": Metric("gauge", "store", "runs that a worker holds"),
    "workers_alive": Metric("gauge", "store", "workers whose lease holds"),
    "timers_overdue": Metric("gauge", "store", "timers that are due and have not fired"),
    "timer_overdue_seconds": Metric("gauge", "store", "how late the latest of them is"),
    "dead_letters": Metric("gauge", "store", "dead letters by status", "status"),
    "dead_letters_oldest_seconds": Metric("gauge", "store", "age of the oldest open dead letter"),
    "db_size_bytes": Metric("gauge", "store", "size of the database"),
    "wal_bytes": Metric("gauge", "store", "size of SQLite's write-ahead log"),
    "disk_free_bytes": Metric("gauge", "store", "room on the disk of the SQLite file"),
    "disk_size_bytes": Metric("gauge", "store", "size of the disk of the SQLite file"),
    "dead_tuples": Metric("gauge", "store", "rows of Upshot's tables that PostgreSQL has yet to vacuum"),
    "relay_horizon_age_seconds": Metric(
        "gauge", "store", "age of the oldest open transaction, not of a vacuum or backup"
    ),
    "clock_skew_seconds": Metric("gauge", "process", "this machine's clock less the database server's"),
    "definitions_unrunnable": Metric(
        "gauge", "process", "active automations that this process cannot run to their end"
    ),
    "loop_turned_seconds": Metric("gauge", "process", "since when the engine's event loop has not turned"),
    "draining": Metric("gauge", "process", "1 while this process stops"),
    "room_for_runs": Metric("gauge", "process", "how many more runs this process would drive at once"),
    "events_total": Metric("counter", "process", "events taken in, by what became of them", "outcome"),
    "events_matched_total": Metric("counter", "process", "events matched with the automations that listen"),
    "matches_total": Metric("counter", "process", "runs that matched events started"),
    "condition_errors_total": Metric("counter", "process", "conditions that could not be decided on an event"),
    "steps_total": Metric("counter", "process", "steps kept, by outcome", "outcome"),
    "retries_total": Metric("counter", "process", "attempts that failed and will be followed by another", "reason"),
    "runs_finished_total": Metric("counter", "process", "runs that ended here", "status"),
    "rescues_total": Metric("counter", "process", "runs freed from workers found dead, for others to take over"),
    "lease_lost_writes_rejected_total": Metric(
        "counter", "process", "writes refused because another worker holds the run"
    ),
    "timers_fired_total": Metric("counter", "process", "timers that fired here"),
    "timers_late_total": Metric("counter", "process", "of these, more than a second after their instant"),
    "loops_stopped_total": Metric("counter", "process", "events that did not start all they would: a loop of causes"),
    "outbox_relayed_total": Metric("counter", "process", "outbox rows relayed, or refused for this time", "outcome"),
    "commits_total": Metric("counter", "process", "transactions of the writer, by how they ended", "outcome"),
    "service_errors_total": Metric("counter", "process", "polls that raised, by service", "service"),
    "notify_reconnects_total": Metric("counter", "process", "times the connection for hints broke"),
    "ssrf_blocked_total": Metric("counter", "process", "steps failed by the policy for outbound requests"),
    "hooks_total": Metric("counter", "process", "deliveries to inbound webhooks, by what became of them", "outcome"),
    "auth_failures_total": Metric("counter", "process", "requests answered with 401"),
    "too_many_requests_total": Metric("counter", "process", "requests answered with 429"),
    "emit_to_log_seconds": Metric("histogram", "process", "from an event's receipt to its commit"),
    "outbox_to_log_seconds": Metric("histogram", "process", "from an outbox row's writing to its acceptance"),
    "log_to_run_seconds": Metric("histogram", "process", "from an event's receipt to the commit of its runs"),
    "step_seconds": Metric("histogram", "process", "from a step's beginning to the commit of its outcome"),
    "end_to_end_seconds": Metric("histogram", "process", "from an event's receipt to the end of its run, delays too"),
    "commit_seconds": Metric("histogram", "process", "how long a transaction of the writer takes"),
    "db_read_seconds": Metric("histogram", "process", "how long a read of the engine takes, its wait for a thread too"),
}
"""Every metric there is, by its name without `upshot_`."""


class Sources(msgspec.Struct, frozen=True):
    """What one answer is made of."""

    metrics: Metrics
    snapshot: Snapshot | None
    turned_seconds: float | None
    is_draining: bool
    failures: Mapping[str, int]
    skew_seconds: float | None
    unrunnable: int
    rooms: int


def exposition(sources: Sources) -> str:
    """Every metric that has a number here, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(sources))
    return generate_latest(registry).decode()


class _Collector(Collector):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Family]:
        """One family for each metric that has a number."""
        values = {**_of_store(self._sources.snapshot), **_of_process(self._sources)}
        for name, metric in METRICS.items():
            value = values.get(name)
            if value is not None:
                yield _family(name, metric, value)


def _family(name: str, metric: Metric, value: Any) -> Family:
    full = PREFIX + name
    if isinstance(value, Histogram):
        return HistogramMetricFamily(full, metric.says, buckets=_buckets(value), sum_value=value.seconds)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    if metric.label is None:
        return kind(full, metric.says, value=value)
    family = kind(full, metric.says, labels=[metric.label])
    for label, number in value.items():
        family.add_metric([label], number)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, number in zip((*map(str, BOUNDS), "+Inf"), list(histogram.buckets), strict=True):
        total += number
        buckets.append((bound, total))
    return buckets


def _of_store(seen: Snapshot | None) -> dict[str, Any]:
    if seen is None:
        return {"store_up": 0}
    return {
        "store_up": 1,
        "runs": _each(RUN, seen.counts.get("runs", {})),
        "events_kept": seen.counts.get("events", {}).get("accepted", 0),
        "outbox_pending": seen.outbox_pending,
        "outbox_oldest_seconds": _age(seen, seen.outbox_oldest_at),
        "log_lag_events": seen.unmatched,
        "log_lag_oldest_seconds": _age(seen, seen.unmatched_oldest_at),
        "queue_depth": {"automation": 0, **{name: queue.ready for name, queue in seen.queues.items()}},
        "queue_oldest_runnable_seconds": {
            "automation": 0.0,
            **{name: _age(seen, queue.oldest_at) for name, queue in seen.queues.items()},
        },
        "runs_kept_back": seen.kept_back,
        "waits_open": seen.waits,
        "leases_active": seen.held,
        "workers_alive": seen.workers,
        "timers_overdue": seen.timers_overdue,
        "timer_overdue_seconds": _age(seen, seen.timers_overdue_at),
        "dead_letters": _each(DEAD_LETTER, seen.counts.get("dead_letters", {})),
        "dead_letters_oldest_seconds": _age(seen, seen.open_letters_at),
        "db_size_bytes": seen.database_bytes,
        "wal_bytes": seen.wal_bytes,
        "disk_free_bytes": seen.disk_free_bytes,
        "disk_size_bytes": seen.disk_bytes,
        "dead_tuples": seen.dead_rows,
        "relay_horizon_age_seconds": seen.oldest_transaction_seconds,
    }


def _of_process(sources: Sources) -> dict[str, Any]:
    made = sources.metrics
    return {
        "clock_skew_seconds": sources.skew_seconds,
        "definitions_unrunnable": sources.unrunnable,
        "loop_turned_seconds": sources.turned_seconds,
        "draining": int(sources.is_draining),
        "room_for_runs": sources.rooms,
        "events_total": {**_each(EVENT_OUTCOMES, made.events), "rejected": made.events_rejected},
        "events_matched_total": made.events_matched,
        "matches_total": made.runs_started,
        "condition_errors_total": made.condition_errors,
        "steps_total": _each(sorted(final_statuses("step")), made.steps),
        "retries_total": _each((*sorted(REASONS), "other"), made.retries),
        "runs_finished_total": _each(sorted(RUN_OVER), made.runs_finished),
        "rescues_total": made.rescues,
        "lease_lost_writes_rejected_total": made.stale_writes,
        "timers_fired_total": made.timers_fired,
        "timers_late_total": made.timers_late,
        "loops_stopped_total": made.loops_stopped,
        "outbox_relayed_total": _each(("published", "refused"), made.relayed),
        "commits_total": _each(("committed", "busy", "unknown"), made.commits),
        "service_errors_total": dict(sources.failures),
        "notify_reconnects_total": made.hint_reconnects,
        "ssrf_blocked_total": made.outbound_blocked,
        "hooks_total": _each(("accepted", "duplicate", "refused", "unknown"), made.hooks),
        "auth_failures_total": made.auth_failures,
        "too_many_requests_total": made.too_many_requests,
        "emit_to_log_seconds": made.emit_to_log,
        "outbox_to_log_seconds": made.outbox_to_log,
        "log_to_run_seconds": made.log_to_run,
        "step_seconds": made.step,
        "end_to_end_seconds": made.end_to_end,
        "commit_seconds": made.commit,
        "db_read_seconds": made.read,
    }


def _each(labels: Iterable[str], found: Mapping[str, int]) -> dict[str, int]:
    return {label: found.get(label, 0) for label in labels}


def _age(seen: Snapshot, since: int | None) -> float:
    return max(seen.at - since, 0) / SECOND if since is not None else 0.0
