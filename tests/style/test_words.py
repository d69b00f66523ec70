"""One name for each concept: the glossary's banned synonyms are not used as identifiers for its nouns.

English is not banned: a work `queue`, to `record` an outcome and to `retry` a step are fine. Banned are the words that
would name one of our nouns a second time. Not banned, because they have another meaning in the same code: `message` (an
error's), `operator` (a condition's), `filter` (a template's, and a list's query), `node` and `block` (of a template's or
condition's tree), `flow` (of steps), `subject` (an e-mail's), `object` (JSON's), `policy` (what outbound calls may do),
`listener` (an automation that listens, in the matcher), `task` (asyncio's), `client` (HTTP's), `deadline` (a call's),
`signal` (the operating system's), `track` (of a timeline), `push` (onto a heap), `log`, `list`, `result`, `record`, `lock`,
`queue`, `publish`, `hook`, `instance`, `effect`, `transport`, `checkpoint`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from upshot.store.schema import metadata

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "upshot"
PAGE = ROOT / "ui" / "src"

BANNED = {
    "host": {"parentapp"},
    "tenant": {"org", "organisation", "organization", "workspace", "practice", "account"},
    "entity": {"contact"},
    "automation": {"workflow", "journey", "campaign"},
    "condition": {"criteria", "criterion", "predicate"},
    "step": {"stage"},
    "action": {"connector"},
    "run": {"execution"},
    "function": {"job"},
    "journal": {"history"},
    "command": {"intent"},
    "timer": {"alarm"},
    "claim": {"fetch"},
    "worker": {"daemon", "executor", "consumer"},
    "segment": {"audience", "cohort"},
    "task": {"ticket", "todo"},
    "notification": {"alert"},
    "channel": {"gateway"},
    "template": {"snippet"},
    "pack": {"plugin", "blueprint"},
    "dead letter": {"dlq", "poison"},
}
WORDS = {form: noun for noun, words in BANNED.items() for word in words for form in (word, f"{word}s")}
ALLOWED = {("ui/src/shell/Account.tsx", "account"): "the menu of the person who is signed in, not their tenant"}
"""A file and a word that may stand in it, each with its reason."""


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives to something, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                yield node.attr, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno
            case _:
                pass


def declared(text: str) -> Iterator[tuple[str, int]]:
    """Every name that a file of the page declares at the start of a statement, with its line."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in re.finditer(r"\b(?:const|let|function|type|interface|class|enum)\s+(\w+)", line):
            yield found[1], number


def banned(place: str, names: Iterable[tuple[str, int]]) -> list[str]:
    return [
        f"{place}:{line} {name}: say {WORDS[word]!r}, not {word!r}"
        for name, line in names
        for word in words_of(name)
        if word in WORDS and (place, word) not in ALLOWED
    ]


def words_of(identifier: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)]


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_no_banned_synonym_names_one_of_our_nouns(path: Path) -> None:
    names = [(path.stem, 0), *identifiers(ast.parse(path.read_text()))]
    assert banned(str(path.relative_to(ROOT)), names) == []


@pytest.mark.parametrize("path", sorted(PAGE.rglob("*.ts*")), ids=lambda path: str(path.relative_to(PAGE)))
def test_nor_does_one_in_the_page(path: Path) -> None:
    assert banned(str(path.relative_to(ROOT)), [(path.stem, 0), *declared(path.read_text())]) == []


def test_nor_does_one_in_the_tables() -> None:
    names = [name for table in metadata.tables.values() for name in (table.name, *table.columns.keys())]
    assert banned("store/schema.py", [(name, 0) for name in names]) == []


def test_a_banned_word_is_found_in_every_style_of_name() -> None:
    names = [("WorkflowRun", 1), ("list_workflows", 2), ("getCriteria", 3), ("DLQEntry", 4), ("practical", 5)]
    assert [line.split(" say ")[1] for line in banned("x", names)] == [
        "'automation', not 'workflow'",
        "'automation', not 'workflows'",
        "'condition', not 'criteria'",
        "'dead letter', not 'dlq'",
    ]


@pytest.mark.parametrize("name", ["utils", "util", "helpers", "helper", "common", "misc", "shared", "lib"])
def test_no_room_is_called_anything(name: str) -> None:
    rooms = [*SRC.rglob("*"), *PAGE.rglob("*"), *(ROOT / "tests").rglob("*"), *(ROOT / "benchmarks").rglob("*")]
    assert [path for path in rooms if path.stem == name] == []
