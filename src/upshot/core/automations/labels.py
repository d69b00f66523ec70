"""Where an automation is kept and found: its folder, its tags, and the texts in it."""

from collections.abc import Iterator
from typing import Any, cast

from upshot.core.automations.fields import as_list
from upshot.core.automations.limits import FOLDER_CHARACTERS_MAX, TAG_CHARACTERS_MAX, TAGS_MAX
from upshot.core.errors import Problem
from upshot.core.field_problems import text_problems


def place_problems(folder: Any, tags: Any) -> list[Problem]:
    """What is wrong with a folder (names with `/` between them) and tags."""
    problems = text_problems(folder, "folder", FOLDER_CHARACTERS_MAX)
    if not problems and folder and any(part != part.strip() or not part for part in folder.split("/")):
        said = "is names with / between them, like Clinic/Reminders, without space around them"
        problems.append(Problem("folder", said, "bad_text"))
    listed = as_list(tags)
    if listed is None:
        return [*problems, Problem("tags", "must be a list of texts", "wrong_type")]
    if len(listed) > TAGS_MAX:
        problems.append(Problem("tags", f"has {len(listed):,} tags; at most {TAGS_MAX}", "too_many"))
    for index, tag in enumerate(listed[:TAGS_MAX]):
        at = f"tags[{index}]"
        found = text_problems(tag, at, TAG_CHARACTERS_MAX, needed="a tag is not empty")
        if not found and tag != tag.strip():
            found = [Problem(at, "has no space around it", "bad_text")]
        if not found and tag in listed[:index]:
            found = [Problem(at, f"{tag!r} is there already", "duplicate_id")]
        problems += found
    return problems


def is_in(document: dict[str, Any], folder: str) -> bool:
    """Whether the automation is in this folder, or in one below it; `/` alone is for those in none."""
    kept = document.get("folder", "")
    return not kept if folder == "/" else kept == folder or kept.startswith(f"{folder}/")


def holds(document: dict[str, Any], text: str) -> bool:
    """Whether this text stands anywhere in the automation: in its names, its trigger, its conditions and arguments. Letters are
    alike in either case; the names of fields of the document do not count, those of arguments do."""
    wanted = text.casefold()
    return any(wanted in found.casefold() for found in _texts(document, is_named=False))


def _texts(value: Any, *, is_named: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _texts(item, is_named=is_named)
    elif isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if is_named:
                yield name
            yield from _texts(item, is_named=is_named or name == "with")
