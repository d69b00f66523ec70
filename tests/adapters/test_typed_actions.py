"""Actions made of functions: their schema, what is refused, what comes out; and the catalogue that holds them."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, cast

import pydantic
import pytest

from tests.adapters.step import Step, perform
from upshot.adapters.actions.catalogue import ActionCatalogue, action, actions_in, built_in_actions
from upshot.adapters.actions.typed import make_action
from upshot.core.action import ActionContext, ActionRegistry, EmitEvent, StoreEffect
from upshot.core.errors import Refused

if TYPE_CHECKING:
    from decimal import Decimal

    from upshot.core.action import ActionContext as Untold


class Line(pydantic.BaseModel):
    text: str = pydantic.Field(min_length=1)
    on: date | None = None


class Note(pydantic.BaseModel):
    patient_id: str = pydantic.Field(alias="patientId")
    lines: list[Line]


@dataclass
class Draft:
    to: str
    copies: int = 1


def note(arguments: Note, context: ActionContext) -> Note:
    """Keep a note.

    More about it.
    """
    context.log("kept")
    return arguments


async def draft(arguments: Draft) -> dict[str, Any]:
    return {"to": arguments.to}


def ship(arguments: dict[str, float], context: "Untold") -> float:
    return arguments["weight"] * context.attempt


def plain(arguments: dict[str, Any]) -> int:
    return len(arguments)


def test_a_model_gives_the_schema_the_value_and_the_result() -> None:
    made = make_action(note, "create_note")
    assert (made.title, made.description, made.kind, made.module) == ("Create note", "Keep a note.", "effect", __name__)
    assert made.schema["required"] == ["patientId", "lines"]
    step = Step()
    output = perform(made, {"patientId": "p", "lines": [{"text": "a", "on": "2026-11-21"}]}, step)
    assert output == {"patientId": "p", "lines": [{"text": "a", "on": "2026-11-21"}]}
    assert step.lines == [("kept", {})]


def test_every_fault_of_the_arguments_is_named_by_its_path_and_none_is_repeated() -> None:
    with pytest.raises(Refused) as caught:
        make_action(note, "create_note").validate({"lines": [{"text": ""}, {"text": "x", "on": "sensitive"}]})
    assert [problem.path for problem in caught.value.problems] == ["patientId", "lines[0].text", "lines[1].on"]
    assert "sensitive" not in str(caught.value)


def test_an_async_function_a_dataclass_and_a_dict_are_taken() -> None:
    made = make_action(draft, "draft")
    assert asyncio.run(made.perform(made.validate({"to": "a"}), Step())) == {"to": "a"}
    with pytest.raises(Refused, match="to"):
        made.validate({"copies": 2})
    assert made.validate({"to": "a", "copies": "2"}) == Draft("a", 2)
    assert perform(make_action(ship, "ship"), {"weight": 1.5}) == 1.5
    assert perform(make_action(plain, "plain"), {"a": 1}) == 1


def test_a_dict_is_held_to_the_given_schema() -> None:
    made = make_action(plain, "plain", schema={"type": "object", "required": ["a"]})
    with pytest.raises(Refused) as caught:
        made.validate({})
    assert caught.value.problems[0].path == "a"
    with pytest.raises(Refused, match=r"schema\.type"):
        make_action(plain, "plain", schema={"type": "objekt"})


def tell(arguments: dict[str, Any]) -> EmitEvent:
    return EmitEvent("told", arguments)


def test_a_store_action_gives_back_operations() -> None:
    assert perform(make_action(tell, "tell", kind="store"), {"a": 1}) == StoreEffect((EmitEvent("told", {"a": 1}),))
    with pytest.raises(TypeError, match="ChangeEntity and EmitEvent"):
        perform(make_action(plain, "plain", kind="store"), {})
    with pytest.raises(TypeError, match="plain function"):
        make_action(draft, "draft", kind="store")


def no_parameters() -> None: ...
def three(a: Note, b: ActionContext, c: int) -> None: ...
def keyword(a: Note, *, c: int) -> None: ...
def unannotated(a) -> None: ...  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType] -- what the test is about
def a_text(a: str) -> None: ...
def a_list(a: list[int]) -> None: ...
def a_callable(a: Callable[[int], int]) -> None: ...
def only_for_checkers(a: "Decimal") -> None: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_parameters, "takes 0 parameters"),
        (three, "takes 3 parameters"),
        (keyword, "takes 2 parameters"),
        (cast("Callable[..., Any]", unannotated), "annotate 'a'"),
        (a_text, "a Pydantic model, a dataclass or a dict"),
        (a_list, "a Pydantic model, a dataclass or a dict"),
        (a_callable, "no JSON Schema"),
        (only_for_checkers, "'Decimal' in its annotations cannot be found"),
        (Note, "is not a function"),
    ],
)
def test_a_wrong_signature_says_what_to_write(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(TypeError, match=says) as caught:
        make_action(function, "mine")
    assert "mine" in str(caught.value)
    assert function.__qualname__ in str(caught.value)


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "é", "a" * 101])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an action's name"):
        make_action(plain, name)


def test_two_actions_of_one_name_are_refused_unless_one_replaces_the_other() -> None:
    catalogue = ActionCatalogue(built_in_actions())
    mine = make_action(plain, "log")
    with pytest.raises(ValueError, match=f"from upshot; the one from {__name__}"):
        catalogue.add(mine)
    catalogue.add(mine, replace=True)
    assert catalogue.add(mine) is mine
    assert catalogue.get("log") is mine
    assert catalogue.shapes["log"].schema == {"type": "object"}


def test_a_declared_action_is_in_the_catalogue_and_stays_a_function() -> None:
    catalogue = ActionCatalogue()
    shapes = catalogue.shapes

    @catalogue.declare("count", title="Count it")
    def count(arguments: dict[str, Any]) -> int:
        return len(arguments)

    assert count({"a": 1}) == 1
    assert [found.title for found in catalogue] == ["Count it"]
    assert "count" in shapes
    assert "count" in catalogue
    assert len(catalogue) == 1


@action("packaged")
def packaged(arguments: dict[str, Any]) -> int:
    return len(arguments)


several = [packaged, make_action(plain, "plain")]
nothing = "not an action"


def test_an_entry_point_names_a_marked_function_an_action_or_a_list() -> None:
    assert [found.name for found in actions_in(packaged)] == ["packaged"]
    assert [found.name for found in actions_in(several)] == ["packaged", "plain"]
    with pytest.raises(TypeError, match="neither an Action"):
        actions_in(nothing)


def test_installed_packages_bring_actions_and_a_broken_one_hurts_no_other(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "broken_package.py").write_text("raise RuntimeError('cannot be imported')\n")
    info = site / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[upshot.actions]\nmine = {__name__}:several\nbroken = broken_package:x\nwrong = {__name__}:nothing\n"
    )
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    catalogue = ActionCatalogue(built_in_actions())
    failed = catalogue.load_entry_points()
    assert {"packaged", "plain"} <= {found.name for found in catalogue}
    assert [line.split(" ")[0] for line in failed] == ["broken", "wrong"]
    assert "cannot be imported" in failed[0]


def test_a_registry_is_what_the_engine_needs() -> None:
    registry = ActionRegistry([make_action(plain, "plain")])
    assert registry.get("absent") is None
    assert EntryPoint("x", f"{__name__}:packaged", "upshot.actions").load() is packaged
