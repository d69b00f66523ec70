"""The reference pages say what the code does: the examples are understood, no filter, tag or limit is left out."""

import json
import re
from pathlib import Path

import pytest

from tests.core.automations.catalogue import ACTIONS
from upshot.core.automations import normalise
from upshot.core.templates import limits
from upshot.core.templates.dates import DIRECTIVES
from upshot.core.templates.filters import FILTERS
from upshot.core.templates.scanner import TAGS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
TEMPLATES = (REFERENCE / "templates.md").read_text()
DOCUMENTS = (REFERENCE / "automation-documents.md").read_text()
CONTROLS = (REFERENCE / "flow-control.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", DOCUMENTS + CONTROLS, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_understood(example: str) -> None:
    assert normalise(json.loads(example), actions=ACTIONS)[0]["trigger"] == {"event": "crm/appointment.created"}


def test_every_filter_tag_and_date_directive_is_described() -> None:
    assert [name for name in FILTERS if not re.search(rf"`{name}[:`]", TEMPLATES)] == []
    assert [name for name in TAGS if not re.search(rf"\{{% {name} ", TEMPLATES)] == []
    assert [name for name in DIRECTIVES if f"%{name}" not in TEMPLATES] == []


@pytest.mark.parametrize(
    "name", ["SOURCE_CHARACTERS_MAX", "OUTPUT_CHARACTERS_MAX", "LOOP_ITERATIONS_MAX", "LIST_ITEMS_MAX", "WORK_MAX"]
)
def test_the_limits_are_published(name: str) -> None:
    assert f"{getattr(limits, name):,}" in TEMPLATES
