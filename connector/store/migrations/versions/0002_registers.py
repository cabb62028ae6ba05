"""Registers: find a record by its name, and know which full comparison saw a link last.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("links", sa.Column("swept", sa.Text(), nullable=True))
    op.create_index("ix_documents_name", "documents", ["tenant", "kind", "counterparty_name"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_documents_name", "documents")
    op.drop_column("links", "swept")
