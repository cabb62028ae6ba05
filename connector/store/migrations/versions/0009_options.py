"""What the ledger of a connection takes, as it was last read.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "options",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["connections.id"], name="fk_options_id"),
        sa.PrimaryKeyConstraint("id", name="pk_options"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("options")
