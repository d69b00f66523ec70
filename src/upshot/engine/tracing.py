"""Traces, through the OpenTelemetry API: emit, accept, match, run and step, in the trace of whoever emitted the event.

The host brings the SDK; without one nothing is made here and a step pays one comparison. What crosses transactions, processes
and restarts is the W3C `traceparent`, kept with the outbox row and with the event. Attributes are of the list below: ids,
names and counts, never payloads or the text of errors.
"""

import re
import time
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from upshot.core.events import Event
from upshot.core.instants import HOUR

if TYPE_CHECKING:
    from upshot.core.automations.document import Step
    from upshot.engine.live_run import LiveRun
    from upshot.engine.settle import Performed

LINK_AFTER: Final = HOUR
"""A run that is driven this long after its event came (microseconds) begins a trace of its own, which links to the
event's: no viewer shows a trace of a month."""
ATTRIBUTES: Final = frozenset(
    {
        "action",
        "attempt",
        "automation_id",
        "automation_version",
        "code",
        "event_id",
        "event_name",
        "run_id",
        "runs_started",
        "status",
        "step_id",
        "tenant_id",
        "test",
    }
)
"""What a span may say, each under `upshot.`."""

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_PROPAGATOR = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("upshot")


class _Present:
    """Whether this process has an SDK, as last seen."""

    is_on = False


def look() -> bool:
    """Whether an SDK records spans in this process now; the hot paths go by this answer until it is asked for again."""
    provider = trace.get_tracer_provider()
    _Present.is_on = not isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    return _Present.is_on


def is_on() -> bool:
    """Whether an SDK was there when last looked."""
    return _Present.is_on


def current() -> str | None:
    """The trace context that the caller stands in, if it stands in one."""
    return _written(trace.get_current_span())


def checked(traceparent: Any) -> str | None:
    """This trace context, if it is one."""
    return traceparent if isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent) else None


# --- emit and accept ----------------------------------------------------------------------------------------------------


@contextmanager
def emitting(tenant_id: str, name: str) -> Generator[str | None]:
    """Emit one event inside; the trace context to keep with it."""
    if not look():
        yield current()
        return
    with _span("emit", None, trace.SpanKind.PRODUCER, tenant_id=tenant_id, event_name=name) as span:
        yield _written(span)


@contextmanager
def accepting(events: list[Event], given: Sequence[str | None]) -> Generator[list[Event]]:
    """Accept these events inside; the events with the trace context that is kept with each. `given` is their emitters', empty
    when the caller is the emitter."""
    contexts = list(given) or [current()] * len(events)
    if not look():
        yield [_in(event, context) for event, context in zip(events, contexts, strict=True)]
        return
    spans = [
        _tracer.start_span("upshot.accept", _context(context), trace.SpanKind.CONSUMER, _attributes(**_of_event(event)))
        for event, context in zip(events, contexts, strict=True)
    ]
    try:
        yield [_in(event, _written(span)) for event, span in zip(events, spans, strict=True)]
    finally:
        for span in spans:
            span.end()


# --- match, run and step ------------------------------------------------------------------------------------------------


def began() -> int:
    """When something begins that may become a span."""
    return time.time_ns() if _Present.is_on else 0


def matched(event: Event, runs_started: int, began_at: int) -> None:
    """An event was matched and its runs are kept."""
    if _Present.is_on:
        told = _attributes(**_of_event(event), runs_started=runs_started)
        context = _context(event.traceparent) or Context()
        _tracer.start_span("upshot.match", context, attributes=told, start_time=began_at or None).end()


async def driven(run: "LiveRun", now: int, driving: Coroutine[Any, Any, None]) -> None:
    """Drive a run, as one span from where it begins or wakes to where it sleeps or ends."""
    origin = run.event.traceparent
    is_old = now - run.event.came_at > LINK_AFTER
    links = [trace.Link(trace.get_current_span(_context(origin)).get_span_context())] if is_old and origin else []
    told = {
        **_of_event(run.event),
        "run_id": run.id,
        "automation_id": run.automation_id,
        "automation_version": run.version,
        "test": run.test,
    }
    with _span(
        "run", _context(None if is_old else origin) or Context(), trace.SpanKind.INTERNAL, links, **told
    ) as span:
        run.traceparent = _written(span) or origin
        await driving


async def stepped(
    run: "LiveRun", step: "Step", attempt: int, performing: "Coroutine[Any, Any, Performed]"
) -> "Performed":
    """Perform a step, as one span; what it emits belongs to it."""
    told: dict[str, Any] = {"run_id": run.id, "tenant_id": run.tenant_id, "step_id": step.id, "attempt": attempt}
    with _span("step", None, trace.SpanKind.INTERNAL, action=getattr(step, "action", "branch"), **told) as span:
        run.traceparent = _written(span) or run.traceparent
        performed = await performing
        if performed.outcome is not None:
            error = performed.outcome.error
            span.set_attributes(_attributes(status=performed.outcome.status, code=error.code if error else None))
            if error is not None:
                span.set_status(trace.StatusCode.ERROR)
    return performed


# --- how it is written --------------------------------------------------------------------------------------------------


@contextmanager
def _span(
    name: str, context: Context | None, kind: trace.SpanKind, links: Sequence[trace.Link] = (), **told: Any
) -> Generator[trace.Span]:
    """A span that is the current one inside. An exception marks it by its type; its text may hold anything and stays out."""
    with _tracer.start_as_current_span(
        f"upshot.{name}",
        context,
        kind,
        _attributes(**told),
        links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _in(event: Event, context: str | None) -> Event:
    return event if context is None else msgspec.structs.replace(event, traceparent=context)


def _of_event(event: Event) -> dict[str, Any]:
    return {"tenant_id": event.tenant_id, "event_id": event.id, "event_name": event.name}


def _attributes(**told: Any) -> dict[str, Any]:
    return {f"upshot.{name}": value for name, value in told.items() if value is not None and name in ATTRIBUTES}


def _context(traceparent: str | None) -> Context | None:
    return _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None


def _written(span: trace.Span) -> str | None:
    about = span.get_span_context()
    if not about.is_valid:
        return None
    return f"00-{about.trace_id:032x}-{about.span_id:016x}-{about.trace_flags:02x}"
