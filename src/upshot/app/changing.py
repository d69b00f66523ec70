"""How the nouns change what is kept: in a transaction of the group commit, confined to one tenant, one after another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from upshot.store import tenants

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

T = TypeVar("T")


def change(upshot: "Upshot", tenant_id: str, write: Callable[[Connection], T], *, is_alone: bool = False) -> T:
    """Run `write` and wait for its commit; what it raises is raised here, and nothing of it is kept. It sees and changes
    rows of this tenant only, where the database can hold it to that.

    `is_alone`: no other such change of the tenant, by whichever process, is between its reading and its commit meanwhile. What
    decides by what it reads needs that, unless it locks the rows it reads.

    Raises:
        OutcomeUnknown: the connection was lost while it was committed.
        Busy: the database could not take it; nothing was written.
    """
    return upshot.commit.run(_confined(upshot, tenant_id, write, is_alone=is_alone))


async def change_async(upshot: "Upshot", tenant_id: str, write: Callable[[Connection], T]) -> T:
    """`change`, for an event loop."""
    return await upshot.commit.run_async(_confined(upshot, tenant_id, write))


def _confined(
    upshot: "Upshot", tenant_id: str, write: Callable[[Connection], T], *, is_alone: bool = False
) -> Callable[[Connection], T]:
    def confined(connection: Connection) -> T:
        with upshot.database.confined(connection, tenant_id):
            if is_alone:
                tenants.lock(connection, tenant_id)
            return write(connection)

    return confined
