"""`upshot automations insights`, on a SQLite file and on PostgreSQL."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.cli.test_both_stores import happened, imported

pytestmark = pytest.mark.usefixtures("own_ids")


def test_insights_are_told(call: Call, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSHOT_DATABASE_URL", url)
    assert call("migrate").code == 0
    steps = [{"id": "look", "action": "create_task", "with": {"title": "Look"}}]
    large = {"field": "total", "operator": "greater_than", "value": 1}
    done, asleep = imported(call, tmp_path, {"name": "Done", "steps": steps, "condition": large}, {"name": "Asleep"})
    happened(url, e1="p1", e2="p2")
    told = call("automations", "insights", done, "--json").json
    assert (told["runs"], told["version"], told["advice"]) == (2, 1, [])
    assert told["steps"][0]["times"] == 2
    said = call("automations", "insights", done).out
    assert "The newest 2 runs of version 1, since 2" in said
    assert "2 completed, 0 partial, 0 failed" in said
    assert call("automations", "insights", done, "--since", "1d", "--json").json["runs"] == 2
    said_later = call("automations", "insights", done, "--since", "2100-01-01T00:00:00Z").out
    assert "No run of the live version has ended in that time." in said_later
    assert "look" in said
    assert "condition" in said
    assert "Advice needs 20 runs." in said
    said = call("automations", "insights", asleep).out
    assert "No run of the live version has ended yet." in said
    assert "It has no action steps." in said
    assert call("automations", "insights", "nobody").code == 1
