"""What the home page counts."""

from upshot.testing import Harness

NAP = {"id": "nap", "delay": "1h"}


def counted(bench: Harness) -> dict[str, int]:
    return {status: n for status, n in bench.upshot.stats.get("default")["runs"].items() if n}


def test_how_a_test_run_ended_does_not_count(bench: Harness) -> None:
    for steps in ([{"id": "end", "stop": "done"}], [{"id": "bad", "action": "raise"}], [NAP]):
        document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": steps, "status": "active"}
        automation = bench.upshot.automations.create("default", document)
        bench.upshot.runs.start_by_hand("default", automation["id"], {}, test=True)
    bench.settle()
    assert sorted(run["status"] for run in bench.runs()) == ["completed", "failed", "waiting"]
    assert counted(bench) == {"waiting": 1}
    (asleep,) = [run for run in bench.runs() if run["status"] == "waiting"]
    bench.upshot.runs.cancel("default", asleep["id"])
    assert counted(bench) == {}
    bench.emit("test/happened")
    assert counted(bench) == {"completed": 1, "failed": 1, "waiting": 1}
