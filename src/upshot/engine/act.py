"""Act: performs one attempt of one step. The only code that touches the outside world, and the only code outside a
transaction. Whatever an action does (raise, hang, return junk) becomes an outcome of its step, never of the engine.
"""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from upshot.core.action import Action, StoreEffect
from upshot.core.automations.document import ActionStep, BranchStep, Step
from upshot.core.commands import StepError
from upshot.core.errors import ActionError, Malformed, PermanentError, Refused
from upshot.core.facts import Facts
from upshot.core.journal import Outcome
from upshot.core.strict_json import check, encode
from upshot.core.templates import TemplateError
from upshot.engine.context import StepContext
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.settle import Performed

THREADS_MAX = 64
OUTPUT_BYTES_MAX = 262_144


class Act:
    """Performs steps."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._threads = asyncio.Semaphore(THREADS_MAX)
        self._is_async: dict[Any, bool] = {}

    async def perform(self, run: LiveRun, step: Step, attempt: int, entity: dict[str, Any] | None) -> Performed:
        """One attempt of an action step, or the decision of a branch. Never raises for what a step does."""
        started_at = self._process.clock.now()
        facts = run.facts(started_at, entity)
        if isinstance(step, BranchStep):
            explanation = run.program.conditions[step.id].explain(facts)
            output = {"result": explanation["result"], "explanation": explanation}
            return Performed(started_at=started_at, outcome=Outcome(step.id, "completed", output))
        assert isinstance(step, ActionStep)  # noqa: S101 - a program runs only action and branch steps
        return await self._action(run, step, attempt, facts, started_at)

    async def _action(self, run: LiveRun, step: ActionStep, attempt: int, facts: Facts, started_at: int) -> Performed:
        context = StepContext(self._process, run, step.id, attempt, started_at)
        action = self._process.actions.get(step.action)
        if action is None:
            missing = f"This worker has no action {step.action!r}. The step is tried again every minute until one has."
            return _failed(step.id, "unknown_action", missing, context, None, is_missing_action=True)
        given: str | None = None
        try:
            arguments = run.program.templates[step.id].render(facts)
            given = encode(arguments)
            value = action.validate(arguments)
        except TemplateError as error:
            return _failed(step.id, "bad_template", str(error), context, given, is_permanent=True)
        except Refused as refused:
            return _failed(step.id, "bad_arguments", str(refused), context, given, is_permanent=True)
        try:
            result = await self._call(action, value, context, step.timeout_seconds)
            return self._result(step, result, context, given)
        except TimeoutError:
            late = f"The action did not end within {step.timeout_seconds:g} s."
            return _failed(step.id, "timeout", late, context, given)
        except Exception as error:  # noqa: BLE001 - whatever an action raises is its step's outcome
            return _raised(step.id, error, context, given)

    async def _call(self, action: Action, value: Any, context: StepContext, seconds: float) -> Any:
        if action.kind == "store":
            return action.perform(value, context)
        is_async = self._is_async.get(action.perform)
        if is_async is None:
            is_async = self._is_async[action.perform] = inspect.iscoroutinefunction(action.perform)
        if is_async:
            return await _within(seconds, action.perform(value, context))
        async with self._threads:
            return await _in_thread(lambda: action.perform(value, context), seconds)

    def _result(self, step: ActionStep, result: Any, context: StepContext, given: str | None) -> Performed:
        if isinstance(result, StoreEffect):
            return Performed(
                started_at=context.now, operations=tuple(result.operations), input=given, log=context.log_text()
            )
        try:
            check(result, "output")
            size = len(encode(result))
        except Malformed as error:
            junk = f"The action returned something that is not JSON: {error}"
            return _failed(step.id, "bad_output", junk, context, given, is_permanent=True)
        if size > OUTPUT_BYTES_MAX:
            large = f"The action returned {size} bytes, more than the {OUTPUT_BYTES_MAX} that are kept."
            return _failed(step.id, "bad_output", large, context, given, is_permanent=True)
        outcome = Outcome(step.id, "completed", result)
        return Performed(started_at=context.now, outcome=outcome, input=given, log=context.log_text())


def _raised(step_id: str, error: Exception, context: StepContext, given: str | None) -> Performed:
    if isinstance(error, PermanentError | Refused):
        code = "refused" if isinstance(error, Refused) else error.code
        return _failed(step_id, code, str(error), context, given, is_permanent=True)
    if isinstance(error, ActionError):
        later = error.retry_after_seconds
        return _failed(step_id, error.code, str(error), context, given, retry_after_seconds=later)
    return _failed(step_id, "raised", f"{type(error).__name__}: {error}", context, given)


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
) -> Performed:
    clean = message.replace("\x00", "�").encode(errors="replace").decode()[:2_000]
    return Performed(
        started_at=context.now,
        outcome=Outcome(step_id, "failed", error=StepError(code, clean, step_id)),
        input=given,
        log=context.log_text(),
        is_permanent=is_permanent,
        is_missing_action=is_missing_action,
        retry_after_seconds=retry_after_seconds,
    )


async def _within(seconds: float, performed: Awaitable[Any]) -> Any:
    """What `asyncio.timeout` does, for one call, at a quarter of its cost: this runs once for every step.

    Raises:
        TimeoutError: it took longer than `seconds`.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - every run is driven by a task
    cancelling = task.cancelling()
    expired: list[bool] = []

    def expire() -> None:
        expired.append(task.cancel())

    deadline = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await performed
    except asyncio.CancelledError:
        if expired and task.cancelling() == cancelling + 1:
            raise TimeoutError from None
        raise
    finally:
        deadline.cancel()
        if expired:
            task.uncancel()


async def _in_thread(function: Callable[[], Any], seconds: float) -> Any:
    """Run a plain function on a thread of its own. One that hangs is left behind after the timeout: a thread cannot be
    stopped, but it holds up nothing but itself."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def work() -> None:
        try:
            result, error = function(), None
        except BaseException as caught:  # noqa: BLE001 - SystemExit in a thread must fail the step, not vanish
            result, error = None, caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="upshot-action", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await answer
