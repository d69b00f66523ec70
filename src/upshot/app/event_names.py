"""Names of events that a person could not tell apart are not taken: one of them would start what the other was meant to."""

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from upshot.core.automations.fields import as_object
from upshot.core.errors import Malformed, Problem

LOOKING_ALIKE: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC"})
"""Scripts with letters that look like letters of another of these."""


def lookalike_problems(name: Any, at: str) -> list[Problem]:
    """What makes this name look like another one. What is no text has other problems, which are not named here."""
    if not isinstance(name, str) or name.isascii():
        return []
    if unicodedata.normalize("NFKC", name) != name:
        said = "holds characters that stand for others, like full-width letters or split accents; write the plain ones"
        return [Problem(at, said, "bad_name")]
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in name if letter.isalpha()}
    mixed = sorted(scripts & LOOKING_ALIKE)
    if len(mixed) < 2:
        return []
    return [Problem(at, f"mixes {' and '.join(mixed)} letters, which look alike; use those of one script", "bad_name")]


def raise_if_lookalike(envelopes: Sequence[Any]) -> None:
    """Hold the names of these envelopes to ones that can be told apart.

    Raises:
        Malformed: naming every one that cannot.
    """
    is_one = len(envelopes) == 1
    problems: list[Problem] = []
    for index, envelope in enumerate(envelopes):
        given = as_object(envelope)
        if given is not None:
            problems += lookalike_problems(given.get("name"), "name" if is_one else f"[{index}].name")
    if problems:
        raise Malformed(problems)
