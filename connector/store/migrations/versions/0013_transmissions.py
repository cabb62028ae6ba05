"""Documents on their way through access points, and what is answered to invoices.

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "transmissions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("number", sa.Text()),
        sa.Column("receiver", sa.Text()),
        sa.Column("connection", sa.Text()),
        sa.Column("vendor_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("said", sa.LargeBinary()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transmissions"),
        sa.UniqueConstraint("instance", name="uq_transmissions_instance"),
    )
    op.create_index("ix_transmissions_document", "transmissions", ["document", "id"])
    op.create_index("ix_transmissions_vendor_id", "transmissions", ["connection", "vendor_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_transmissions_waiting", "transmissions", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "invoice_responses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_responses"),
        sa.UniqueConstraint("tenant", "key", name="uq_invoice_responses_tenant_key"),
    )
    op.create_index("ix_invoice_responses_document", "invoice_responses", ["document", "id"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("invoice_responses")
    op.drop_table("transmissions")
