"""One name for each concept: the glossary's banned synonyms are not used as identifiers for its nouns.

English is not banned: a work `queue`, to `record` an outcome and to `retry` a step are fine. Banned are the words that
would name one of our nouns a second time.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "upshot"

BANNED = {
    "automation": {"workflow", "workflows", "journey", "campaign", "campaigns"},
    "tenant": {"org", "organisation", "organization", "workspace", "practice", "account"},
    "entity": {"subject_entity", "contact"},
    "condition": {"criteria", "criterion", "predicate", "predicates"},
    "worker": {"daemon", "executor", "consumer"},
    "run": {"execution", "executions"},
    "timer": {"alarm"},
    "rule": {"policy_rule"},
    "segment": {"audience", "cohort"},
    "task": {"ticket", "todo"},
    "host": {"parent_app"},
    "pack": {"blueprint"},
    "dead letter": {"dlq"},
    "channel": {"gateway"},
}
ALLOWED: dict[tuple[str, str], str] = {}
"""A place and word that may stand, each with its reason."""
WORDS = {word: noun for noun, words in BANNED.items() for word in words}


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
            case _:
                pass


def words_of(identifier: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)]


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_no_banned_synonym_names_one_of_our_nouns(path: Path) -> None:
    place = str(path.relative_to(SRC))
    found = [
        f"{place}:{line} {identifier}: say {WORDS[word]!r}, not {word!r}"
        for identifier, line in identifiers(ast.parse(path.read_text()))
        for word in words_of(identifier)
        if word in WORDS and (place, word) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "util", "helper"])
def test_no_room_is_called_anything(name: str) -> None:
    assert [path for path in SRC.rglob("*") if path.stem == name] == []
