"""docs/operations: the table of metrics is the registry's, and rules and dashboard name only metrics that a server shows."""

import json
import re
from pathlib import Path

import pytest

from upshot import Upshot
from upshot.app.exposition import METRICS
from upshot.app.settings import Settings

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"
DASHBOARD = json.loads((OPERATIONS / "dashboard.json").read_text())
RULES = (OPERATIONS / "alerts.yml").read_text()
FUNCTIONS = frozenset({"abs", "absent", "delta", "histogram_quantile", "increase", "max", "min", "rate", "sum"})
WORDS = frozenset({"by", "or", "and", "unless"})
TOKEN = re.compile(
    r'\s*(?:(?P<name>[a-z_]+)|(?P<text>"[^"]*")|(?P<number>\d+(?:\.\d+)?[smhd]?)'
    r"|(?P<sign>=~|==|!=|[><]=?|[-+*/(){}\[\],=]))"
)
PAIRS = {")": "(", "}": "{", "]": "["}
ONLY_ON_POSTGRESQL = {"clock_skew_seconds", "dead_tuples", "relay_horizon_age_seconds"}


def expressions() -> list[str]:
    folded = re.sub(r">-\n((?: {10}.*\n)+)", lambda found: " ".join(found[1].split()) + "\n", RULES)
    drawn = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return re.findall(r"^ +expr: (.+)$", folded, re.MULTILINE) + drawn


def names_of(expression: str) -> set[str]:
    """The metrics that an expression names, when it is made of what PromQL is made of and its brackets pair."""
    names: set[str] = set()
    grouped, at = set(re.findall(r"by \(([a-z_, ]+)\)", expression)), 0
    labels = {label for group in grouped for label in re.split(r"[, ]+", group)}
    opened: list[str] = []
    while at < len(expression.rstrip()):
        found = TOKEN.match(expression, at)
        assert found, f"cannot read {expression!r} from {expression[at:]!r} on"
        at = found.end()
        sign, name = found["sign"] or "", found["name"]
        if sign in PAIRS:
            assert opened.pop() == PAIRS[sign], expression
        elif sign in PAIRS.values():
            opened.append(sign)
        elif name and name.startswith("upshot_"):
            names.add(name)
        elif name and "{" not in opened and name not in WORDS | labels:
            assert name in FUNCTIONS, f"{name} in {expression!r}"
    assert opened == [], expression
    return names


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in what a real process shows."""
    upshot = Upshot(f"sqlite:///{tmp_path_factory.mktemp('shown')}/upshot.db", settings=Settings(secret_key="k" * 32))
    upshot.migrate()
    upshot.start()
    text = upshot.operations.metrics()
    upshot.stop()
    elsewhere = {f"upshot_{name}" for name in ONLY_ON_POSTGRESQL & METRICS.keys()}
    return set(re.findall(r"^(upshot_\w+)", text, re.MULTILINE)) | elsewhere


def test_there_are_rules_and_panels() -> None:
    each = [len(re.findall(part, RULES)) for part in (r"- alert: ", r"summary: ", r"severity: (?:page|ticket)\}")]
    assert len(set(each)) == 1
    assert len(expressions()) > 40


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_can_be_read_and_names_metrics_that_are_shown(shown: set[str], expression: str) -> None:
    names = names_of(expression)
    assert names
    assert names - shown == set()


WAITS = frozenset({"outbox_pending", "log_lag_events", "queue_depth", "runs_kept_back", "waits_open", "timers_overdue"})


def test_one_panel_draws_all_that_waits_by_what_it_waits_for() -> None:
    (panel,) = [panel for panel in DASHBOARD["panels"] if panel["title"] == "Waiting work"]
    drawn = {name: target for target in panel["targets"] for name in names_of(target["expr"])}
    assert drawn.keys() == {f"upshot_{name}" for name in WAITS}
    for name in WAITS:
        label = METRICS[name].label
        assert label is None or f"by ({label})" in drawn[f"upshot_{name}"]["expr"], name


@pytest.mark.parametrize("wrong", ["sum(upshot_x", "sum(upshot_x])", "summ(upshot_x)", "upshot_x > $"])
def test_the_reader_of_expressions_refuses_what_is_none(wrong: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        names_of(wrong)


def test_the_reference_says_what_the_registry_says() -> None:
    rows = {
        f"| `upshot_{name}` | {metric.kind} | {metric.source} | {f'`{metric.label}`' if metric.label else ''} | {metric.says} |"
        for name, metric in METRICS.items()
    }
    assert {
        line for line in (OPERATIONS / "metrics.md").read_text().splitlines() if line.startswith("| `upshot_")
    } == rows
