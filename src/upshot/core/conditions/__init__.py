"""Conditions: boolean trees over facts. Total, explained, indexed. Time is an input.

`normalise` and `compile_condition` read a document in any understood shape; `Condition.fast` and `.explain` are two
forms of one tree; `MatchIndex` finds, among thousands of conditions, those that hold for one event.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from upshot.core.conditions.catalogue import operators
from upshot.core.conditions.compile import fast_of, leaves_of, paths_of, total_of
from upshot.core.conditions.explaining import explain
from upshot.core.conditions.index import MatchIndex
from upshot.core.conditions.model import Condition
from upshot.core.conditions.normalise import RUNS_ON_EVERY_EVENT, read_condition

__all__ = [
    "RUNS_ON_EVERY_EVENT",
    "Condition",
    "MatchIndex",
    "always_holds",
    "compile_condition",
    "normalise",
    "operators",
]


def normalise(document: Any, at: str = "condition") -> dict[str, Any]:
    """The canonical document of a condition in any understood shape. `normalise` of it is itself.

    Raises:
        Refused: naming every problem, by its path in the document as it was written.
    """
    return read_condition(document, at).document


def always_holds(canonical: Mapping[str, Any]) -> bool:
    """Whether a canonical document asks nothing, so that its automation runs on every event. An empty `or` never holds."""
    return canonical["rules"] == [] and canonical["combinator"] == "and" and not canonical.get("not")


def compile_condition(document: Any, at: str = "condition", types: Mapping[str, str] | None = None) -> Condition:
    """The condition, ready to evaluate. `types` declares fields: `{"order.total": "number", "signed_at": "datetime"}`.

    Raises:
        Refused: naming every problem, by its path in the document as it was written.
    """
    root, canonical, warnings = read_condition(document, at, types)
    decide = fast_of(root)
    paths = [path for leaf in leaves_of(root) for path in paths_of(leaf)]
    return Condition(
        document=canonical,
        root=root,
        paths=frozenset(path.text for path in paths),
        reads_entity=any(path.reads_entity for path in paths),
        decide=decide,
        fast=total_of(decide),
        explain=partial(explain, root, decide),
        warnings=warnings,
    )
