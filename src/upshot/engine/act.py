"""Act: performs one attempt of one step. The only code that touches the outside world, and the only code outside a
transaction. Whatever an action does (raise, hang, return junk) becomes an outcome of its step, never of the engine.
"""

import asyncio
import contextlib
import contextvars
import inspect
import threading
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, cast

import msgspec

from upshot.core.action import Action, ChangeEntity, EmitEvent, StoreEffect, StoreOperation
from upshot.core.automations.document import ActionStep, BranchStep, CallStep, ForEachStep, SplitStep, Step
from upshot.core.automations.durations import DURATION_MAX
from upshot.core.automations.splitting import chosen_path, split_key
from upshot.core.commands import MISSING_ACTION, StepError
from upshot.core.entities import Operation
from upshot.core.errors import ActionError, Malformed, MissingPart, PermanentError, Problem, Refused
from upshot.core.facts import Facts
from upshot.core.instants import SECOND
from upshot.core.journal import Outcome
from upshot.core.strict_json import encode, encode_and_copy
from upshot.core.templates import TemplateError
from upshot.engine import crash_points
from upshot.engine.call import call_of
from upshot.engine.context import StepContext, clean_text
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.receive import DATA_MAX, form_problems
from upshot.engine.settle import Performed

THREADS_MAX = 64
OUTPUT_BYTES_MAX = 262_144
UTF8_MAX = 4
"""Bytes of one character at most."""
ITEMS_BYTES_MAX = 4_194_304

_decode = msgspec.json.Decoder().decode


class Act:
    """Performs steps."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._threads = asyncio.Semaphore(THREADS_MAX)
        self._is_async: dict[Any, bool] = {}

    async def perform(self, run: LiveRun, step: Step, attempt: int, entity: dict[str, Any] | None) -> Performed:
        """One attempt of an action step, or the decision of a branch or split. Never raises for what a step does."""
        started_at = self._process.clock.now()
        context = StepContext(self._process, run, step.id, attempt, started_at)
        try:
            facts = run.facts(started_at, entity, step.id)
            if isinstance(step, BranchStep):
                explanation = run.program.conditions[run.program.base(step.id)].explain(facts)
                output = {"result": explanation["result"], "explanation": explanation}
                return Performed(started_at=started_at, outcome=Outcome(step.id, "completed", output))
            if isinstance(step, SplitStep):
                place = chosen_path(step, split_key(run.automation_id, run.program.base(step.id), facts))
                output = {"path": place, "name": step.paths[place].name, "next": step.paths[place].next}
                return Performed(started_at=started_at, outcome=Outcome(step.id, "completed", output))
            if isinstance(step, CallStep):
                return _call(run, step, facts, context)
            if isinstance(step, ForEachStep):
                return _listed(step, run.program.template(step.id).render(facts), context)
            assert isinstance(step, ActionStep)  # noqa: S101 - a program runs no others
            return await self._action(run, step, facts, context)
        except Exception as error:  # noqa: BLE001 - whatever a step meets is its outcome
            return _raised(step.id, error, context, None)

    async def _action(self, run: LiveRun, step: ActionStep, facts: Facts, context: StepContext) -> Performed:
        action = self._process.actions.get(step.action)
        if action is None:
            missing = f"This worker has no action {step.action!r}. The step is tried again every minute until one has."
            return _failed(step.id, MISSING_ACTION, missing, context, None, is_missing_action=True)
        given: str | None = None
        try:
            given, own = encode_and_copy(run.program.template(step.id).render(facts))
            value = action.validate(own)  # what an action changes, nobody else sees
        except TemplateError as error:
            return _failed(step.id, "bad_template", str(error), context, given, is_permanent=True)
        except Refused as refused:
            return _failed(step.id, "bad_arguments", str(refused), context, given, is_permanent=True)
        try:
            if action.kind == "store":
                return _result(step, action.perform(value, context), context, given)
            crash_points.reach("act.before_effect")
            result = await self._effect(action, value, context, step.timeout_seconds)
            crash_points.reach("act.after_effect")
            return _result(step, result, context, given)
        except _Late:
            late = f"The action did not end within {step.timeout_seconds:g} s."
            status = "unknown" if step.delivery == "at_most_once" else "failed"
            return _failed(step.id, "timeout", late, context, given, status=status)
        except BaseException as error:
            if _is_for_the_engine(error):
                raise
            return _raised(step.id, error, context, given)

    def _effect(self, action: Action, value: Any, context: StepContext, seconds: float) -> Awaitable[Any]:
        is_async = self._is_async.get(action.perform)
        if is_async is None:
            is_async = self._is_async[action.perform] = inspect.iscoroutinefunction(action.perform)
        if is_async:
            return _within(seconds, action.perform(value, context))
        return self._on_a_thread(action, value, context, seconds)

    async def _on_a_thread(self, action: Action, value: Any, context: StepContext, seconds: float) -> Any:
        async with self._threads:
            result, error = await _within(seconds, _in_thread(lambda: action.perform(value, context)))
        if error is not None:
            raise error if isinstance(error, Exception) else RuntimeError(_words(error))
        return result


class _Late(Exception):
    """The step's time was over before its action ended."""


def _is_for_the_engine(error: BaseException) -> bool:
    """Whether this was raised at the engine (it drops the run, or a person ends the process), not by the action."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def _result(step: ActionStep, result: Any, context: StepContext, given: str | None) -> Performed:
    try:
        if isinstance(result, StoreEffect):
            operations = tuple(_checked(operation) for operation in result.operations)
            return Performed(started_at=context.now, operations=operations, input=given, log=context.log_text())
        text, output = encode_and_copy(result, at="output")  # as it is kept, whatever becomes of the action's object
    except Malformed as error:
        junk = f"The action returned something that is not JSON: {error}"
        return _failed(step.id, "bad_output", junk, context, given, is_permanent=True)
    if len(text) > OUTPUT_BYTES_MAX // UTF8_MAX and (size := len(text.encode())) > OUTPUT_BYTES_MAX:
        large = f"The action returned {size} bytes, more than the {OUTPUT_BYTES_MAX} that are kept."
        return _failed(step.id, "bad_output", large, context, given, is_permanent=True)
    outcome = Outcome(step.id, "completed", output)
    return Performed(started_at=context.now, outcome=outcome, input=given, log=context.log_text())


def _call(run: LiveRun, step: CallStep, facts: Facts, context: StepContext) -> Performed:
    """A call that nobody waits for, which is made where its outcome is kept."""
    try:
        call = call_of(run.program, step, facts)
    except (TemplateError, Refused) as error:
        return _failed(step.id, "bad_call", str(error), context, None, is_permanent=True)
    given = encode({"automation": call.automation_id, "data": call.data})
    return Performed(started_at=context.now, call=call, input=given)


def _listed(step: ForEachStep, items: Any, context: StepContext) -> Performed:
    """The items of a `for_each`, if they are a list that it may take."""
    if not isinstance(items, list):
        shown = "nothing" if items is None else f"{items!r:.40}"
        return _failed(step.id, "not_a_list", f"`for_each` must give a list, not {shown}.", context, None)
    listed = cast("list[Any]", items)
    text = encode(listed, at="items")
    if len(listed) > step.limit or len(text) > ITEMS_BYTES_MAX:
        said = f"The list has {len(listed):,} items of {len(text):,} characters; at most {step.limit:,} of {ITEMS_BYTES_MAX:,}."
        return _failed(step.id, "too_many", said, context, None)
    return Performed(started_at=context.now, outcome=Outcome(step.id, "completed", {"items": _decode(text)}))


def _checked(operation: Any) -> StoreOperation:
    """The operation, if the transaction that performs it cannot fail on its form.

    Raises:
        Malformed: what it holds is not of the form of an event, or cannot be kept.
    """
    match operation:
        case ChangeEntity() if _is_change(operation.change):
            return operation
        case EmitEvent(name, data, entity):
            ref = {"type": entity.type, "id": entity.id} if entity is not None else None
            problems = form_problems({"name": name, "data": data, "entity": ref}, "")
            text = encode(data, at="data")
            if len(text) > DATA_MAX:
                problems.append(Problem("data", f"is {len(text)} characters; at most {DATA_MAX}", "too_large"))
            if problems:
                raise Malformed(problems)
            return EmitEvent(name, _decode(text), entity)
        case _:
            raise Malformed.at("", f"a {type(operation).__name__} is no store operation", "wrong_type")


def _is_change(change: Any) -> bool:
    return isinstance(change, Operation) and {type(change.type), type(change.id)} == {str}


def _raised(step_id: str, error: BaseException, context: StepContext, given: str | None) -> Performed:
    if isinstance(error, PermanentError | Refused):
        code = "refused" if isinstance(error, Refused) else error.code
        return _failed(step_id, code, _words(error, named=False), context, given, is_permanent=True)
    if isinstance(error, MissingPart):
        return _failed(step_id, MISSING_ACTION, _words(error, named=False), context, given, is_missing_action=True)
    if isinstance(error, ActionError):
        later = _seconds(error.retry_after_seconds)
        return _failed(step_id, error.code, _words(error, named=False), context, given, retry_after_seconds=later)
    return _failed(step_id, "raised", _words(error), context, given)


def _words(error: BaseException, *, named: bool = True) -> str:
    name = type(error).__name__
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - an error that cannot even say what it is
        said = "it cannot be shown as text"
    return f"{name}: {said}" if named or not said else said


def _seconds(later: Any) -> float | None:
    """How long a provider asks to be left alone, if that is a length of time; at most the longest delay there is."""
    if not isinstance(later, int | float) or not later > 0:
        return None
    return min(float(later), DURATION_MAX / SECOND)


def _failed(
    step_id: str,
    code: str,
    message: str,
    context: StepContext,
    given: str | None,
    *,
    is_permanent: bool = False,
    is_missing_action: bool = False,
    retry_after_seconds: float | None = None,
    status: str = "failed",
) -> Performed:
    clean = clean_text(message)
    return Performed(
        started_at=context.now,
        outcome=Outcome(step_id, status, error=StepError(clean_text(str(code))[:100], clean, step_id)),
        input=given,
        log=context.log_text(),
        is_permanent=is_permanent,
        is_missing_action=is_missing_action,
        retry_after_seconds=retry_after_seconds,
    )


@types.coroutine
def _within(seconds: float, performed: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """What `asyncio.timeout` does, for one call that is measured from where it first waits for something: this runs once for
    every step, and one that never waits cannot be interrupted.

    Raises:
        _Late: it took longer than `seconds`. A TimeoutError is the action's own.
    """
    try:
        awaited = performed.send(None)
    except StopIteration as ended:
        return ended.value
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - every run is driven by a task
    cancelling = task.cancelling()
    expired: list[bool] = []

    def expire() -> None:
        expired.append(task.cancel())

    deadline = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return (yield from _rest(performed, awaited))
    except asyncio.CancelledError:
        if expired and task.cancelling() == cancelling + 1:
            raise _Late from None
        raise
    finally:
        deadline.cancel()
        if expired:
            task.uncancel()


def _rest(performed: Coroutine[Any, Any, Any], awaited: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that waits for this, and give back what it returns: PEP 380's `yield from` of one under way."""
    while True:
        try:
            answer = yield awaited
        except GeneratorExit:
            performed.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever is raised here is meant for it
            resume, given = performed.throw, error
        else:
            resume, given = performed.send, answer
        try:
            awaited = resume(given)
        except StopIteration as ended:
            return ended.value


async def _in_thread(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a plain function returned or raised, run on a thread of its own. One that hangs is left behind after the
    timeout: a thread cannot be stopped, but it holds up nothing but itself."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if not answer.done():
            answer.set_result((result, error))

    def work() -> None:
        try:
            result, error = context.run(function), None
        except BaseException as caught:  # noqa: BLE001 - SystemExit in a thread must fail the step, not vanish
            result, error = None, caught
        with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="upshot-action", daemon=True).start()
    return await answer
