"""What the author of an action imports."""

from typing import Any

from upshot.sdk import actions


def test_a_third_party_package_needs_nothing_else() -> None:
    @actions.action("example_greet", title="Greet", icon="hand")
    async def greet(arguments: dict[str, Any], context: actions.ActionContext) -> dict[str, Any]:
        """Say hello."""
        context.log("hello")
        return arguments

    @actions.action("example_tag", kind="store")
    def tag(arguments: dict[str, Any]) -> actions.ChangeEntity:
        return actions.ChangeEntity(actions.AddTag("patient", arguments["id"], "greeted"))

    assert greet.__name__ == "greet"
    assert tag({"id": "p"}).change == actions.AddTag("patient", "p", "greeted")
    assert all(hasattr(actions, name) for name in actions.__all__)
