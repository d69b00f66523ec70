"""The pages on actions say what is there, and their code runs."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from upshot.adapters.actions import built_in_actions
from upshot.adapters.actions.catalogue import actions_in

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_has_every_action_with_its_kind_and_arguments() -> None:
    text = (DOCS / "reference" / "actions.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \|", text, re.MULTILINE)
    written = {name: (kind, re.findall(r"`(\w+)`(\??)", arguments)) for name, kind, arguments in rows}
    built = {
        action.name: (
            action.kind,
            [(name, "" if name in action.schema["required"] else "?") for name in action.schema["properties"]],
        )
        for action in built_in_actions()
    }
    assert written == built


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCS / "how-to" / "write-an-action.md").read_text()
    monkeypatch.chdir(tmp_path)
    page = ModuleType("write_an_action_page")
    monkeypatch.setitem(sys.modules, page.__name__, page)
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(compile(block, "write-an-action.md", "exec"), page.__dict__)
    (made,) = actions_in(page.send_parcel)
    assert made.title == "Send a parcel"
    assert made.description == "Book a parcel with the carrier."
    assert page.upshot.actions.get("ring_the_bell") is not None
    page.upshot.close()
