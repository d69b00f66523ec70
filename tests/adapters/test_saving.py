"""What is found wrong while an automation is saved, before any run."""

from typing import Any

import pytest

from upshot.adapters.actions import ActionCatalogue, built_in_actions, save_problems
from upshot.adapters.outbound_policy import OutboundPolicy
from upshot.core.automations.document import ActionStep, Automation, StopStep

ACTIONS = ActionCatalogue(built_in_actions())


def found(action: str, **arguments: Any) -> list[tuple[str, str]]:
    steps = (StopStep("first"), ActionStep("s", action, arguments, None))
    automation = Automation("a", "e", 5, None, steps)
    return [(problem.path, problem.code) for problem in save_problems(automation, ACTIONS, OutboundPolicy())]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://169.254.169.254/", "http://example.com/", "https://localhost./"]
)
def test_a_private_destination_is_refused(url: str) -> None:
    assert found("call_webhook", url=url) == [("steps[1].with.url", "url_not_allowed")]
    assert found("call_webhook", url=url, body="{{ order.id }}") == [("steps[1].with.url", "url_not_allowed")]


def test_what_a_placeholder_may_change_waits_for_the_run() -> None:
    assert found("call_webhook", url="{{ hook }}") == []
    assert found("draft_email", to="nobody", subject="Hi", body="{{ text }}") == []


def test_constant_arguments_are_held_to_all_that_their_action_asks() -> None:
    assert found("call_webhook", url="https://example.com/", headers={"Host": "x"}) == [
        ("steps[1].with.headers.Host", "reserved_header")
    ]
    assert found("draft_email", to="nobody", subject="Hi", body="x") == [("steps[1].with.to[0]", "bad_recipient")]
    assert found("emit_event", name="system.x") == [("steps[1].with.name", "reserved_name")]


def test_good_steps_and_actions_of_another_worker_pass() -> None:
    assert found("call_webhook", url="https://example.com/") == []
    assert found("unknown_here", url="https://127.0.0.1/") == []
