"""Steps that are written in Python, for what no other action and no filter does: they run in the sandbox."""

from typing import Any, Final

from upshot.adapters.actions.arguments import Arguments, form, reader
from upshot.adapters.programs import SOURCE_CHARACTERS_MAX, ProgramFailed
from upshot.adapters.sandbox import SECONDS_MAX, Sandbox
from upshot.core.action import Action, ActionContext
from upshot.core.errors import ActionError, Problem, Refused
from upshot.core.strict_json import encode

NAME: Final = "run_code"
INPUTS_BYTES_MAX: Final = 262_144

RUN_CODE: Final = form(
    {
        "source": {
            "type": "string",
            "title": "Program",
            "description": "Python. It reads `inputs`; its last line, or `result`, is what the step gives. No placeholders.",
            "format": "python",
            "minLength": 1,
            "maxLength": SOURCE_CHARACTERS_MAX,
            "examples": ['{"total": sum(item["price"] for item in inputs["items"])}'],
            "x-context": "literal",
        },
        "inputs": {
            "type": "object",
            "title": "Inputs",
            "description": "What the program reads as `inputs`.",
            "default": {},
            "examples": [{"items": "{{ order.items }}"}],
        },
        "timeout_seconds": {
            "type": "number",
            "title": "Timeout in seconds",
            "exclusiveMinimum": 0,
            "maximum": SECONDS_MAX,
            "default": 5,
        },
    },
    required=["source"],
)

_read = reader(RUN_CODE)


def run_code(sandbox: Sandbox) -> Action:
    """The action `run_code`, whose programs run in this sandbox."""

    async def perform(arguments: Arguments, context: ActionContext) -> Any:
        source, inputs, seconds = (arguments[name] for name in ("source", "inputs", "timeout_seconds"))
        try:
            ran = await sandbox.run_step(context.tenant_id, source, inputs, seconds)
        except ProgramFailed as error:
            _log(error.printed, context)
            raise
        _log(ran.printed, context)
        return ran.result

    def trial(arguments: Arguments) -> Any:
        return sandbox.run(arguments["source"], arguments["inputs"], arguments["timeout_seconds"]).result

    def check(arguments: Arguments) -> list[Problem]:
        source = arguments.get("source")
        if not isinstance(source, str) or not 0 < len(source) <= SOURCE_CHARACTERS_MAX:
            return [Problem("source", f"is a text of 1 to {SOURCE_CHARACTERS_MAX:,} characters", "bad_argument")]
        try:
            wrong = sandbox.check(source)
        except ActionError as error:
            return [Problem("source", f"cannot be checked: {error}", error.code)]
        return [Problem("source", wrong, "bad_program")] if wrong is not None else []

    return Action(
        name=NAME,
        title="Run code",
        description="Compute something in Python, in a sandbox without files, network, clock or randomness.",
        schema=RUN_CODE,
        validate=read_program,
        perform=perform,
        icon="code",
        check=check,
        trial=trial,
    )


def read_program(arguments: Arguments) -> Arguments:
    """The arguments of a program.

    Raises:
        Refused: names each that will not do.
    """
    given = _read(arguments)
    if len(encode(given["inputs"], at="inputs").encode()) > INPUTS_BYTES_MAX:
        raise Refused.at("inputs", f"are larger than {INPUTS_BYTES_MAX:,} bytes of JSON", "too_large")
    return given


def _log(printed: str, context: ActionContext) -> None:
    for line in printed.splitlines():
        context.log(line)
