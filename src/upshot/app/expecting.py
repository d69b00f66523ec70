"""Before a version that waits for events is published, every process looks for such events.

An event is matched in the transaction that accepts it, unless somebody may wait for it. So what a version waits for is made
known first, in a change of its own; then whatever was begun before that is let end; and only then the version is published.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from upshot.app import changing
from upshot.core.automations import read
from upshot.core.errors import UpshotError
from upshot.core.watches import Shape, shapes_of
from upshot.store import tenants, waits

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

T = TypeVar("T")
Shapes = set[tuple[str, Shape]]


class Unexpected(UpshotError):
    """Nobody looks yet for what this version waits for. Never seen outside of this module."""

    code = "unexpected"

    def __init__(self, shapes: Shapes) -> None:
        super().__init__("the version waits for events that no version waited for before")
        self.shapes = shapes


def raise_if_unexpected(connection: Connection, tenant_id: str, document: dict[str, Any]) -> None:
    """Raise `Unexpected` when a version of this document would wait for what is not made known."""
    wanted = shapes_of(read(document))
    if wanted:
        known = waits.expected(connection, tenant_id)
        missing = {(name, shape) for name, shape in wanted if shape not in known.get(name, ())}
        if missing:
            raise Unexpected(missing)


def expecting(upshot: "Upshot", tenant_id: str, publish: Callable[[], T]) -> T:
    """Do this; if it publishes what waits for events that are not looked for yet, make those known first."""
    while True:
        try:
            return publish()
        except Unexpected as unexpected:
            shapes = unexpected.shapes

        def make_known(connection: Connection, shapes: Shapes = shapes) -> None:
            waits.expect(connection, tenant_id, shapes)
            tenants.bump_definitions(connection, tenant_id)

        changing.change(upshot, tenant_id, make_known)
        upshot.engine.definitions_changed(tenant_id)
        upshot.database.outlast()
