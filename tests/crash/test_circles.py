"""Steps that go round, in a process that is killed in the middle: no round is lost, and none that was kept is done again."""

from pathlib import Path

from tests.crash.ledgers import Kept, Look, Provider, check_now
from tests.crash.load import TENANT, Work, build, line, rest
from tests.crash.processes import Processes

EVENT, EVENTS, ROUNDS = "crash/circled", 20, 5
NUMBER = "steps.one.output.number"
STEPS = [
    line("one") | {"with": {"number": f"{{{{ {NUMBER} | default: 0 | plus: 1 }}}}"}},
    rest("rest", 10),
    {
        "id": "again?",
        "branch": {"field": NUMBER, "operator": "less_than", "value": ROUNDS},
        "if_true": "one",
        "if_false": "end",
    },
    line("end"),
]


def test_a_kill_in_the_middle_of_rounds_loses_none_and_repeats_none_that_was_kept(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(work)
    upshot.automations.create(
        TENANT, {"name": "circled", "trigger": {"event": EVENT}, "steps": STEPS, "status": "active"}
    )
    upshot.close()
    provider, given = Provider(tmp_path), work.but(event=EVENT, events=EVENTS)
    first = processes.start(given)
    first.until(lambda: len(provider.calls()) >= EVENTS * ROUNDS // 2, "half of the rounds are done")
    first.kill()
    check_now(look, tmp_path)
    kept = Kept(look, tmp_path)

    second = processes.start(given.but(name="second"))
    second.wait_for("given")
    second.until(look.is_over, "all is over")
    second.stop()
    snapshot = check_now(look, tmp_path)
    assert {run["status"] for run in snapshot.runs} == {"completed"}
    assert len(snapshot.runs) == EVENTS
    kept.raise_if_called_again()
    steps = ["one", *(f"one:{number}" for number in range(2, ROUNDS + 1)), "end"]
    assert set(provider.calls()) == {f"{run['id']}:{step_id}" for run in snapshot.runs for step_id in steps}
