"""Emit and accept: how events come in, as a host's call, over HTTP, or through the outbox of a host's transaction."""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from upshot.adapters import causes
from upshot.adapters.clock import new_id
from upshot.app.event_names import raise_if_lookalike
from upshot.core.errors import Busy, Refused, UpshotError
from upshot.core.events import Event
from upshot.core.strict_json import encode
from upshot.engine import tracing
from upshot.engine.accept import Accepted
from upshot.engine.receive import form_problems, receive, receive_async
from upshot.store import host_connection, outbox
from upshot.store.database import DatabaseUnavailable

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

log = logging.getLogger("upshot")


class Emitting:
    """The accepting side of `upshot.events`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def emit(
        self,
        event: Any,
        data: Mapping[str, Any] | None = None,
        *,
        tenant: str,
        id: str | None = None,  # noqa: A002 - the event's own field name
        connection: Any = None,
        on_error: str = "raise",
    ) -> str | None:
        """Emit one event: a declared `Event`, or a name and data. Returns its id once it is committed.

        With `connection` (a SQLAlchemy, Django or DBAPI connection of the host) the event is one INSERT into the outbox on
        the host's own cursor: it is delivered if and only if the host's transaction commits.
        With `on_error="log"` nothing is ever raised: a failure is logged and None returned; on a connection a savepoint
        keeps the host's transaction usable.

        Raises:
            Refused: the event is not acceptable; the problems name the fields.
            Busy: the store cannot take it now.
        """
        if on_error not in {"raise", "log"}:
            raise Refused.at("on_error", f"is 'raise' or 'log', not {on_error!r}")
        try:
            envelope = envelope_of(event, data, id)
            if connection is not None:
                return self._emit_on(connection, tenant, envelope, is_guarded=on_error == "log")
            with tracing.emitting(tenant, envelope["name"]):
                return self.accept(tenant, [envelope])[0].event.public_id
        except Exception:
            if on_error == "raise":
                raise
            log.exception("an event could not be emitted; the caller goes on, as it asked")
            return None

    async def emit_async(
        self,
        event: Any,
        data: Mapping[str, Any] | None = None,
        *,
        tenant: str,
        id: str | None = None,  # noqa: A002 - the event's own field name
    ) -> str:
        """`emit`, for an event loop."""
        envelope = envelope_of(event, data, id)
        with tracing.emitting(tenant, envelope["name"]):
            return (await self.accept_async(tenant, [envelope]))[0].event.public_id

    def emit_many(self, events: Sequence[Any], *, tenant: str, connection: Any = None) -> list[str]:
        """Emit up to 1,000 events in one commit; their ids. All are accepted, or none.

        With `connection` they are rows of the outbox in the host's own transaction, as with `emit`.
        """
        envelopes: list[Any] = [e if isinstance(e, dict) else envelope_of(e, None, None) for e in events]
        if connection is not None:
            return self._emit_all_on(connection, tenant, envelopes)
        return [accepted.event.public_id for accepted in self.accept(tenant, envelopes)]

    def accept(self, tenant_id: str, envelopes: Sequence[Any], *, test: bool = False) -> list[Accepted]:
        """Check and accept envelopes `{id?, name, data?, ts?, entity?}`; returns after their commit. Blocks.

        An id that was accepted before is answered as a duplicate with the event it belongs to.
        """
        engine = self._upshot.engine
        with _busy_when_unavailable():
            known = engine.process.definitions.of_now(tenant_id)
        with self._counting_rejected(len(envelopes)):
            raise_if_lookalike(envelopes)
            events = receive(tenant_id, envelopes, known, self._upshot.clock.now(), test=test)
        with tracing.accepting(events, ()) as traced:
            return engine.accept.take_blocking(traced)

    async def accept_async(
        self,
        tenant_id: str,
        envelopes: Sequence[Any],
        traceparents: Sequence[str | None] = (),
        *,
        ahead: bool = True,
        cause: causes.Cause | None = None,
    ) -> list[Accepted]:
        """`accept`, for an event loop; with the trace context of each, when the caller is not the emitter. On the engine's
        loop they are matched `ahead`, in the same transaction, as far as that is quick. With a `cause`, they are one deeper
        in its chain."""
        engine = self._upshot.engine
        definitions = engine.process.definitions
        with _busy_when_unavailable():
            known = definitions.known(tenant_id) or await definitions.of(tenant_id)
        with self._counting_rejected(len(envelopes)):
            raise_if_lookalike(envelopes)
            events = await receive_async(tenant_id, envelopes, known, self._upshot.clock.now())
        if cause is not None:
            events = [_caused(event, cause) for event in events]
        with tracing.accepting(events, traceparents) as traced:
            return await engine.accept.take(traced, known, ahead=ahead)

    @contextmanager
    def _counting_rejected(self, count: int) -> Generator[None]:
        try:
            yield
        except UpshotError:
            self._upshot.engine.process.metrics.events_rejected += count
            raise

    def _emit_on(self, connection: Any, tenant: str, envelope: dict[str, Any], *, is_guarded: bool) -> str:
        problems = form_problems(envelope, "")
        if problems:
            raise Refused(problems)
        raise_if_lookalike([envelope])
        return self._insert_on(connection, tenant, envelope, is_guarded=is_guarded)

    def _emit_all_on(self, connection: Any, tenant: str, envelopes: list[Any]) -> list[str]:
        problems = [problem for at, given in enumerate(envelopes) for problem in form_problems(given, f"[{at}]")]
        if problems:
            raise Refused(problems)
        raise_if_lookalike(envelopes)
        return [self._insert_on(connection, tenant, dict(given), is_guarded=False) for given in envelopes]

    def _insert_on(self, connection: Any, tenant: str, envelope: dict[str, Any], *, is_guarded: bool) -> str:
        now = self._upshot.clock.now()
        row_id = envelope.setdefault("id", new_id(now))
        with tracing.emitting(tenant, envelope["name"]) as traceparent:
            if traceparent is not None:
                envelope["traceparent"] = traceparent
            values = (row_id, tenant, outbox.FORMAT, encode(envelope), now, now)
            host_connection.execute(connection, outbox.insert_text, values, is_guarded=is_guarded)
        return row_id


def _caused(event: Event, cause: causes.Cause) -> Event:
    return msgspec.structs.replace(
        event,
        root_id=cause.root_id or event.root_id,
        depth=cause.depth + 1,
        cause_run_id=cause.run_id,
        cause_step_id=cause.step_id,
    )


@contextmanager
def _busy_when_unavailable() -> Generator[None]:
    """A store that cannot be read now is answered like one that cannot be written: try again."""
    try:
        yield
    except DatabaseUnavailable as error:
        raise Busy(f"The database cannot be read now ({error.orig}). It is safe to try again.") from error


def envelope_of(event: Any, data: Mapping[str, Any] | None, identity: str | None) -> dict[str, Any]:
    """The envelope of what a host gave: a declared event, or a name and data."""
    if isinstance(event, str):
        envelope: dict[str, Any] = {"name": event, "data": dict(data or {})}
    elif hasattr(event, "envelope"):
        envelope = event.envelope()
    else:
        raise Refused.at("", f"{type(event).__name__} is neither an event's name nor a declared Event", "wrong_type")
    if identity is not None:
        envelope["id"] = identity
    return envelope
