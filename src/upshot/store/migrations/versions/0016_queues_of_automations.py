"""Automations have a queue: each version keeps the one that its runs stand in."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the schema forward."""
    queue = sa.Column("queue", sa.Text(), server_default=sa.text("'automation'"), nullable=False)
    op.add_column("upshot_automation_versions", queue)
