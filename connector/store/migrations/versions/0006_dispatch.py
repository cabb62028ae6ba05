"""What a system says about having sent a document itself.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("links", sa.Column("dispatch", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("links", "dispatch")
