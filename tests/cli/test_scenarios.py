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
