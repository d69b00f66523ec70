"""One trace, from an emit in the host's transaction over relay, match, run and steps to what they emit, over a restart too."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.surfaces.conftest import Surface
from upshot import Upshot
from upshot.adapters.clock import new_id
from upshot.engine import tracing
from upshot.testing import Harness, VirtualClock
from upshot.testing.harness import new_file

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
CANARY = "canary-in-the-payload"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Traces are the same on every database."""
    return new_file(tmp_path)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """An SDK in this process, as a host would set it up, for one test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("upshot"))
    yield exporter
    monkeypatch.undo()
    assert not tracing.look()


@pytest.fixture
def bench(spans: InMemorySpanExporter, tmp_path: Any) -> Iterator[Harness]:
    def opened(url: str, clock: VirtualClock) -> Upshot:
        upshot = Upshot(url, clock=clock)

        @upshot.action("look")
        def look(args: dict) -> str | None:
            """The trace that the host's own code stands in, on a thread."""
            about = trace.get_current_span().get_span_context()
            return f"{about.trace_id:032x}" if about.is_valid else None

        return upshot

    with Harness(opened, url=f"sqlite:///{tmp_path}/upshot.db") as made:
        yield made


def automation(event: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": event, "trigger": {"event": event}, "steps": list(steps), "status": "active"}


LOOK = {"id": "look", "action": "look", "with": {}}
EMIT = {"id": "emit", "action": "emit_event", "with": {"name": "test/followed", "data": {"what": CANARY}}}


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == f"upshot.{name}"]


def awaited(spans: InMemorySpanExporter, name: str, is_wanted: Callable[[ReadableSpan], bool]) -> ReadableSpan:
    """The first such span, as soon as it is there: it ends a moment after what it tells of was committed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for span in named(spans, name):
            if is_wanted(span):
                return span
        threading.Event().wait(0.01)
    pytest.fail(f"no such span of {name} in 30 s, but {[span.to_json() for span in spans.get_finished_spans()]}")


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def identity_of(span: Any) -> int:
    return span.get_span_context().span_id


def trace_of(span: Any) -> str:
    return f"{span.get_span_context().trace_id:032x}"


def emit_in_the_hosts_transaction(bench: Harness) -> str:
    """As the host does, within its own span; that span's trace."""
    assert bench.upshot.database.path is not None
    with (
        trace.get_tracer("host").start_as_current_span("the host's request") as span,
        closing(sqlite3.connect(bench.upshot.database.path)) as connection,
        connection,
    ):
        bench.upshot.emit("test/happened", {"what": CANARY}, connection=connection)
    return trace_of(span)


def test_one_trace_goes_from_the_hosts_transaction_to_the_last_step_of_what_follows(
    bench: Harness, spans: InMemorySpanExporter
) -> None:
    bench.upshot.automations.create("default", automation("test/happened", LOOK, EMIT))
    bench.upshot.automations.create("default", automation("test/followed", LOOK))
    wanted = emit_in_the_hosts_transaction(bench)
    bench.upshot.outbox.publish()
    bench.settle()
    made = spans.get_finished_spans()
    assert {trace_of(span) for span in made} == {wanted}
    assert len(named(spans, "emit")) == 1
    assert len(named(spans, "accept")) == 1
    assert [len(named(spans, name)) for name in ("match", "run", "step")] == [2, 2, 3]
    followed = next(run for run in bench.runs() if len(run["steps"]) == 1)
    assert followed["steps"][0]["output"] == wanted, "the action's thread stands in the step's span"
    by_id = {identity_of(span): span for span in made}
    (second,) = [span for span in named(spans, "run") if said(span)["upshot.event_name"] == "test/followed"]
    assert second.parent is not None
    assert said(by_id[second.parent.span_id])["upshot.step_id"] == "emit"


def test_the_trace_goes_on_after_a_restart_and_becomes_a_link_after_long(
    bench: Harness, spans: InMemorySpanExporter
) -> None:
    waits = ({"id": "short", "delay": "10m"}, LOOK, {"id": "long", "delay": "30d"}, {**LOOK, "id": "late"})
    bench.upshot.automations.create("default", automation("test/happened", *waits))
    new_id(bench.clock.now() + 60 * 86_400_000_000)  # ids never go back: those that follow are ahead of the clock
    wanted = emit_in_the_hosts_transaction(bench)
    bench.upshot.outbox.publish()
    bench.settle()
    bench.restart()
    bench.advance(11 * 60)
    assert {trace_of(span) for span in named(spans, "run")} == {wanted}
    assert [trace_of(span) for span in named(spans, "step")] == [wanted]
    bench.advance(31 * 86_400)
    late = awaited(spans, "run", lambda span: trace_of(span) != wanted)
    assert [f"{link.context.trace_id:032x}" for link in late.links] == [wanted]
    assert trace_of(named(spans, "step")[-1]) == trace_of(late)


def test_spans_say_ids_and_names_and_nothing_else(bench: Harness, spans: InMemorySpanExporter) -> None:
    @bench.upshot.action("fail")
    def fail(args: dict) -> None:
        raise RuntimeError(CANARY)

    bench.upshot.automations.create(
        "default", automation("test/happened", {"id": "a", "action": "fail", "with": {"x": "{{ what }}"}})
    )
    bench.emit("test/happened", {"what": CANARY})
    (step,) = named(spans, "step")
    assert (said(step)["upshot.code"], step.status.status_code) == ("raised", trace.StatusCode.ERROR)
    for span in spans.get_finished_spans():
        assert CANARY not in span.to_json()
        assert {name.removeprefix("upshot.") for name in said(span)} <= tracing.ATTRIBUTES


def test_without_an_sdk_nothing_is_made_and_the_senders_trace_is_kept_all_the_same(running: Surface) -> None:
    assert not tracing.look()
    body = {"name": "test/happened", "data": {}}
    sent = running.client.post(
        "/api/v1/events",
        json=body,
        headers={"Authorization": f"Bearer {running.keys['alpha', 'admin']}", "traceparent": PARENT},
    )
    assert sent.status_code == 202
    (event_id,) = sent.json()["ids"]
    assert kept(running, event_id) == PARENT
    for junk in ("", "00-0-0-01", PARENT + "0", f"00-{'0' * 32}-b7ad6b7169203331-01", "x" * 500):
        headers = {"Authorization": f"Bearer {running.keys['alpha', 'admin']}", "traceparent": junk}
        (event_id,) = running.client.post("/api/v1/events", json=body, headers=headers).json()["ids"]
        assert kept(running, event_id) is None


def kept(surface: Surface, event_id: str) -> str | None:
    assert surface.upshot.database.path is not None
    with closing(sqlite3.connect(surface.upshot.database.path)) as connection:
        (found,) = connection.execute("SELECT traceparent FROM upshot_events WHERE id = ?", (event_id,)).fetchone()
    return found
