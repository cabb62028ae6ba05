"""What was written to a connection since a moment, found without reading every attempt.

Revision: 0011
"""

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WHERE = text("what = 'call' AND outcome = 'proved'")


def upgrade() -> None:
    """Make the change."""
    op.create_index(
        "ix_attempts_proved", "attempts", ["connection", "began", "id"], sqlite_where=_WHERE, postgresql_where=_WHERE
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_attempts_proved", "attempts")
