"""What is arranged before a connection is written to, and its first sync.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "onboarding",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("connection", "step"),
    )
    op.create_table(
        "first_sync",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("changed", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_first_sync_list", "first_sync", ["connection", "state", "id"])
    op.create_index("ix_first_sync_document", "first_sync", ["connection", "document"])
    known = sa.text("vendor_id IS NOT NULL")
    op.create_index(
        "uq_first_sync_record",
        "first_sync",
        ["connection", "kind", "vendor_id"],
        unique=True,
        sqlite_where=known,
        postgresql_where=known,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("first_sync")
    op.drop_table("onboarding")
