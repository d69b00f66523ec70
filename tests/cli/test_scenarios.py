"""`upshot packs test`: the scenarios of a pack, and those of a file, played on a database of their own."""

from pathlib import Path

from tests.cli.conftest import Call


def test_a_packs_scenarios_are_played(call: Call, tmp_path: Path) -> None:
    (tmp_path / "welcome.toml").write_text(
        """title = "nobody is welcomed"
        [[events]]
        at = "0s"
        name = "crm/patient.created"
        data.patient = { id = "p-1", firstName = "Ada", lastName = "Moreau", email = "ada@example.org" }
        [[then]]
        runs = [{ automation = "New patient welcome", count = 0 }]
        """
    )
    differs = call("packs", "test", "clinic", "--scenario", "welcome.toml")
    assert differs.code == 1
    assert "0 runs of 'New patient welcome' expected, 1 found" in differs.out
    played = call("packs", "test", "clinic", "--json").json["scenarios"]
    assert len(played) >= 7
    assert [one["differences"] for one in played] == [[]] * len(played)
    assert "There is no pack 'none'" in call("packs", "test", "none").err
    assert "missing.toml: cannot be read" in call("packs", "test", "clinic", "--scenario", "missing.toml").err
    assert [path.name for path in tmp_path.iterdir()] == ["welcome.toml"]


def test_scenario_files_are_played(call: Call, tmp_path: Path) -> None:
    text = """title = "a month later"
        start = "2028-01-31T10:00:00Z"
        events = [{ at = "0s", name = "asked" }]
        then = [{ at = "2028-02-29T10:00:00Z", runs = [{ automation = "Later", status = "STATUS" }] }]
        [[automations]]
        name = "Later"
        trigger = "asked"
        steps = [{ id = "wait", delay = { months = 1 } }, { id = "end", stop = true }]
        """
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "one.toml").write_text(text.replace("STATUS", "completed"))
    played = call("automations", "test", "good", "--json")
    assert (played.code, played.json["scenarios"][0]["differences"]) == (0, [])
    (tmp_path / "good" / "two.toml").write_text(text.replace("STATUS", "waiting"))
    differs = call("automations", "test", "good")
    assert differs.code == 1
    assert "ok       good/one.toml: a month later" in differs.out
    assert "the run of 'Later' is completed, not waiting" in differs.out
    (tmp_path / "bad.toml").write_text("title = 5")
    assert call("automations", "test", "bad.toml").code == 1
    assert call("automations", "test").code == 2
