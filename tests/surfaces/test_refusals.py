"""What holds of every refusal: nothing is kept of it, and an error of ours tells nothing of inside."""

from typing import Any

import pytest

from tests.surfaces.conftest import Surface


def test_a_batch_is_accepted_as_a_whole_or_not_at_all(surface: Surface) -> None:
    refused = surface.post("/events", {"events": [{"name": "x"}, {"name": ""}, {"data": {}}, 5]})
    assert refused.status_code == 400
    assert {error["path"].split(".")[0] for error in refused.json()["errors"]} == {"[1]", "[2]", "[3]"}
    assert surface.post("/events", [{"name": "x"}] * 1_001).status_code == 400
    assert surface.post("/events", []).status_code == 400
    assert surface.get("/events").json()["items"] == []
    assert len(surface.post("/events", [{"name": "x"}] * 1_000).json()["ids"]) == 1_000


def test_an_error_of_ours_tells_nothing_of_inside(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("the inside")

    monkeypatch.setattr(surface.upshot.stats, "get", broken)
    answered = surface.get("/stats")
    assert answered.status_code == 500
    assert answered.headers["content-type"] == "application/problem+json"
    assert "the inside" not in answered.text
    assert "Traceback" not in answered.text
