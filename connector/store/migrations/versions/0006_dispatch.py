"""What a system says about having sent a document itself; and the versions of links without their rows.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("links", sa.Column("dispatch", sa.Text(), nullable=True))
    op.create_index("ix_links_versions", "links", ["connection", "kind", "vendor_id", "vendor_version"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_links_versions", "links")
    op.drop_column("links", "dispatch")
