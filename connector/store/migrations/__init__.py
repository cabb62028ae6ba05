"""Bring the tables up to date: Alembic, run from inside, on the connection that the store has already."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.errors import Misconfigured

_LOCK = 7_120_917
"""PostgreSQL's advisory lock: of processes that start together, one migrates and the others wait."""


def settings(conn: Connection) -> Config:
    """Alembic's settings for a connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = conn
    return made


def bring_up_to_date(conn: Connection, *, migrate: bool | None) -> bool:
    """Run the migrations that are missing, in the caller's transaction. True when there were any.

    `migrate`: None runs them only on an empty database; False never.

    Raises:
        Misconfigured: `database-outdated` (migrations are missing and may not be run now), `database-newer`.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    made = settings(conn)
    scripts = ScriptDirectory.from_config(made)
    newest = scripts.get_current_head()
    now = MigrationContext.configure(conn).get_current_revision()
    if now == newest:
        return False
    if now is not None and now not in {script.revision for script in scripts.walk_revisions()}:
        raise Misconfigured(
            f"The database is of a newer version ({now}) than this program knows.",
            code="database-newer",
            do="Run the version of the program that upgraded it, or restore the backup made before.",
        )
    if not (migrate or (migrate is None and now is None)):
        raise Misconfigured(
            f"The database is at version {now}, the program needs {newest}.",
            code="database-outdated",
            do="Make a backup, stop all workers, then run `connector store upgrade`.",
        )
    command.upgrade(made, "head")
    return True
