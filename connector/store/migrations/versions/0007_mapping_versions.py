"""Versions of mappings: what they say, which is in force; and which version made a link's two halves.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "mapping_versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("layers", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connections.id"], name=op.f("fk_mapping_versions_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_versions")),
        sa.UniqueConstraint("connection", "version", name=op.f("uq_mapping_versions_connection_version")),
    )
    op.create_table(
        "mapping_applied",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connections.id"], name=op.f("fk_mapping_applied_connection")),
        sa.PrimaryKeyConstraint("connection", "seq", name=op.f("pk_mapping_applied")),
    )
    op.add_column("links", sa.Column("written_by", sa.Text(), nullable=True))
    op.add_column("links", sa.Column("read_by", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("links", "read_by")
    op.drop_column("links", "written_by")
    op.drop_table("mapping_applied")
    op.drop_table("mapping_versions")
