"""What changed from one automation document to another, in words and by path. Pure, over canonical documents: what it has no
words for it tells by name, and no difference goes untold."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from upshot.core.automations.describe import condition_words, delay_words, event_words, value_words
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.flow_control import control_words
from upshot.core.segments import event_of

Kind = Literal["added", "removed", "changed", "moved"]

_STEP_BESIDE: Final = frozenset({"id", "name", "note", "next", "on_error", "retries", "timeout_seconds"})
"""What a step may say beside what it does."""
_TARGETS: Final = {"next": "goes on to", "if_true": "if true, goes on to", "if_false": "if not, goes on to"}


class Change(msgspec.Struct, frozen=True):
    """One difference. A step's path is its id: `steps.note.with.content`. `before` and `after` are what stands there, None
    where nothing does."""

    path: str
    kind: Kind
    text: str
    before: Any = None
    after: Any = None


def diff(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Change]:
    """The changes that lead from one document to the other, in the order of the document; none for the same one. Nothing
    before is one change."""
    if before is None:
        event = event_of(after["trigger"])
        told = f"Everything is new: it starts on {event}." if event else "Everything is new."
        return [Change("", "added", told, None, after)]
    return list(_changes(before, after))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    names = [name for name in {**before, **after} if name not in {"condition", "goal", "exit", "steps"}]
    for name in names:
        old, new = before.get(name), after.get(name)
        if _same(old, new):
            continue
        if name == "trigger":
            yield from _trigger(as_object(old) or {}, as_object(new) or {})
        elif name == "cancel_on":
            yield from _cancel_on(_listed(old), _listed(new))
        elif name == "flow":
            yield from _flow(as_object(old) or {}, as_object(new) or {})
        else:
            yield _field(name, name, old, new)
    yield from _condition("condition", before.get("condition"), after.get("condition"))
    for name in ("goal", "exit"):
        yield from _condition(name, before.get(name), after.get(name), f"{name}: ")
    yield from _steps(_listed(before.get("steps")), _listed(after.get("steps")))


def _field(path: str, name: str, old: Any, new: Any, of: str = "") -> Change:
    """A value that is told as it stands."""
    said = name.replace("_", " ")
    if old is None:
        return Change(path, "added", _sentence(f"{of}{said} is {_quoted(new)}, was not set"), None, new)
    if new is None:
        return Change(path, "removed", _sentence(f"{of}{said} is not set any more, was {_quoted(old)}"), old, None)
    return Change(path, "changed", _sentence(f"{of}{said} is {_quoted(new)}, was {_quoted(old)}"), old, new)


def _trigger(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if _same(before, after):
            continue
        if name == "event" and before is not None and after is not None:
            yield Change("trigger.event", "changed", f"It starts on {after} instead of {before}.", before, after)
        else:
            yield _field(f"trigger.{name}", name, before, after, "the trigger's ")


def _flow(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if _same(before, after):
            continue
        path, said = f"flow.{name}", name.replace("_", " ")
        if before is None or after is None:
            words = control_words(name, after if before is None else before)
            text = f"{said}: {words}" if before is None else f"no {said} any more, was: {words}"
            yield Change(path, "added" if before is None else "removed", _sentence(text), before, after)
        else:
            text = f"{said}: {control_words(name, after)}, was: {control_words(name, before)}"
            yield Change(path, "changed", _sentence(text), before, after)


def _cancel_on(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    """The events that cancel runs, those that are gone and those that are new."""
    gone, fresh = _without(old, new), _without(new, old)
    for one in gone:
        said = f"the event {event_words(one.get('event'), one.get('match'))} does not cancel runs any more"
        yield Change("cancel_on", "removed", _sentence(said), one, None)
    for one in fresh:
        said = f"the event {event_words(one.get('event'), one.get('match'))} cancels runs under way"
        yield Change("cancel_on", "added", _sentence(said), None, one)
    if not gone and not fresh:
        yield Change("cancel_on", "moved", "The events that cancel runs stand in another order.", old, new)


# --- conditions ---------------------------------------------------------------------------------------------------------


def _condition(path: str, old: Any, new: Any, of: str = "") -> Iterator[Change]:
    """How a condition changed: rule by rule where both are one list of rules joined alike, else as a whole."""
    old, new = _unnumbered(old), _unnumbered(new)
    if _same(old, new):
        return
    if old is None or new is None:
        words = _quoted(condition_words(new if old is None else old))
        said = f"{of}the condition {words} was added" if old is None else f"{of}the condition {words} is gone"
        yield Change(path, "added" if old is None else "removed", _sentence(said), old, new)
        return
    old_rules, new_rules = _rules(old), _rules(new)
    if _joint(old) != _joint(new) or not old_rules or not new_rules:
        said = f"{of}the condition is {_quoted(condition_words(new))}, was {_quoted(condition_words(old))}"
        yield Change(path, "changed", _sentence(said), old, new)
        return
    gone, fresh = _without(old_rules, new_rules), _without(new_rules, old_rules)
    if not gone and not fresh:
        yield Change(path, "moved", _sentence(f"{of}the rules of the condition stand in another order"), old, new)
    is_any = _joint(old)["combinator"] == "or"
    for rule in gone:
        twin = next((other for other in fresh if _is_twin(rule, other)), None)
        if twin is None:
            said = "is not enough any more" if is_any else "is not needed any more"
            yield Change(path, "removed", _sentence(f"{of}{_quoted(condition_words(rule))} {said}"), rule, None)
            continue
        fresh.remove(twin)
        said = f"{of}the condition asks for {_quoted(condition_words(twin))}, was {_quoted(condition_words(rule))}"
        yield Change(path, "changed", _sentence(said), rule, twin)
    for rule in fresh:
        said = "is enough too" if is_any else "is needed too"
        yield Change(path, "added", _sentence(f"{of}{_quoted(condition_words(rule))} {said}"), None, rule)


def _unnumbered(condition: Any) -> Any:
    """A condition without the ids of its rules, which say nothing and are counted anew when one is added."""
    fields = as_object(condition)
    if fields is None:
        return condition
    kept = {name: value for name, value in fields.items() if name not in {"id", "v"}}
    for name in ("rules", "value"):
        inner = kept.get(name)
        if name == "rules" and isinstance(inner, list):
            kept[name] = [_unnumbered(rule) for rule in as_list(inner) or []]
        elif "rules" in (as_object(inner) or {}):
            kept[name] = _unnumbered(inner)
    return kept


def _rules(condition: Any) -> list[Any]:
    return list(as_list((as_object(condition) or {}).get("rules")) or [])


def _joint(condition: Any) -> dict[str, Any]:
    """A group without its rules: how it joins them."""
    fields = as_object(condition) or {}
    return {"combinator": "and"} | {name: value for name, value in fields.items() if name != "rules"}


def _without(some: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    left = list(others)
    kept: list[Any] = []
    for one in some:
        if one in left:
            left.remove(one)
        else:
            kept.append(one)
    return kept


def _is_twin(rule: Any, other: Any) -> bool:
    """Whether two rules compare the same field."""
    one, two = as_object(rule) or {}, as_object(other) or {}
    return "field" in one and one.get("field") == two.get("field")


# --- steps --------------------------------------------------------------------------------------------------------------


def _steps(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    before, after = {step.get("id"): step for step in old}, {step.get("id"): step for step in new}
    renamed = _renamed(before, after)
    for id_, step in before.items():
        if id_ not in after and id_ not in renamed:
            yield Change(f"steps.{id_}", "removed", f"Step “{id_}” is gone: {_step_words(step)}.", step, None)
    places = {id_: place for place, id_ in enumerate(before)}
    common = [id_ for id_ in after if id_ in before]
    still = _in_order([places[id_] for id_ in common])
    origins = {new_id: old_id for old_id, new_id in renamed.items()}
    above: Any = None
    for id_, step in after.items():
        path, where = f"steps.{id_}", f"after “{above}”" if above is not None else "as the first step"
        if id_ in origins:
            yield Change(path, "changed", f"Step “{origins[id_]}” is called “{id_}” now.", before[origins[id_]], step)
        elif id_ not in before:
            yield Change(path, "added", f"Step “{id_}” is new, {where}: {_step_words(step)}.", None, step)
        else:
            if places[id_] not in still:
                yield Change(path, "moved", f"Step “{id_}” stands {where} now.")
            yield from _step(path, f"step “{id_}”: ", before[id_], step)
        above = id_


def _renamed(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    """Steps that are the same under another id, where there is no doubt."""
    fresh = [id_ for id_ in after if id_ not in before]
    found: dict[Any, Any] = {}
    for id_, step in before.items():
        if id_ in after:
            continue
        same = [other for other in fresh if {**after[other], "id": id_} == step]
        if len(same) == 1 and same[0] not in found.values():
            found[id_] = same[0]
    return found


def _in_order(places: list[int]) -> set[int]:
    """The longest part of these places that ascends: what stayed where it was, among the rest."""
    ends: list[int] = []
    at: list[int] = []
    for place in places:
        length = bisect_left(ends, place)
        ends[length : length + 1] = [place]
        at.append(length)
    kept: set[int] = set()
    wanted = len(ends) - 1
    for place, length in zip(reversed(places), reversed(at), strict=True):
        if length == wanted:
            kept.add(place)
            wanted -= 1
    return kept


def _step(path: str, of: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if _same(before, after) and (name in old) == (name in new):
            continue
        at = f"{path}.{name}"
        if name in _TARGETS:
            yield _target(at, f"{of}{_TARGETS[name]}", old, new, name)
        elif name == "branch":
            yield from _condition(at, before, after, of)
        elif name == "delay" and before is not None and after is not None:
            said = f"{of}it waits {delay_words(after)} instead of {delay_words(before)}"
            yield Change(at, "changed", _sentence(said), before, after)
        elif name == "call" and before is not None and after is not None:
            yield Change(at, "changed", _sentence(f"{of}it calls “{after}” instead of “{before}”"), before, after)
        elif name == "await":
            said = "goes on at once" if after is False else "waits until the run that it calls is over"
            yield Change(at, "changed", _sentence(f"{of}it {said}"), before, after)
        elif name == "with":
            yield from _arguments(at, "", of, as_object(before) or {}, as_object(after) or {})
        else:
            yield _field(at, name, before, after, of)


def _arguments(path: str, name: str, of: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Arguments by name, into the objects that both have."""
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if _same(before, after) and (key in old) == (key in new):
            continue
        inner_old, inner_new = as_object(before), as_object(after)
        full = f"{name}.{key}" if name else key
        if inner_old and inner_new:
            yield from _arguments(f"{path}.{key}", full, of, inner_old, inner_new)
        else:
            yield _field(f"{path}.{key}", full, before, after, of)


def _target(path: str, said: str, old: dict[str, Any], new: dict[str, Any], name: str) -> Change:
    def words(step: dict[str, Any]) -> str:
        if name not in step:
            return "the step below" if name != "if_false" else "the end"
        return f"“{step[name]}”" if step[name] is not None else "the end"

    text = _sentence(f"{said} {words(new)} instead of {words(old)}")
    return Change(path, "changed", text, old.get(name), new.get(name))


def _same(old: Any, new: Any) -> bool:
    """Whether two values are written alike: unlike for Python, 1 is neither true nor 1.0."""
    return old == new and msgspec.json.encode(old, order="sorted") == msgspec.json.encode(new, order="sorted")


# --- words --------------------------------------------------------------------------------------------------------------


def _step_words(step: dict[str, Any]) -> str:
    if step.get("name"):
        return str(step["name"])
    if "action" in step:
        return str(step["action"]).replace("_", " ")
    if "branch" in step:
        return f"go on by whether {condition_words(step['branch'])}"
    if "delay" in step:
        return f"wait {delay_words(step['delay'])}"
    if "call" in step:
        return f"call “{step['call']}”"
    return next((name.replace("_", " ") for name in step if name not in _STEP_BESIDE), "nothing")


def _quoted(value: Any) -> str:
    return f"“{value}”" if isinstance(value, str) and value and len(value) <= 200 else value_words(value)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _listed(steps: Any) -> list[dict[str, Any]]:
    return [fields for step in as_list(steps) or [] if (fields := as_object(step)) is not None]
