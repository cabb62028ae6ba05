"""Bring the tables up to date: Alembic, run from inside, on the connection that the store has already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from connector.errors import Misconfigured

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "versions"
_LOCK = 7_120_917
"""PostgreSQL's advisory lock: of processes that start together, one migrates and the others wait."""


def settings(conn: Connection) -> Config:
    """Alembic's settings for a connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = conn
    return made


def revisions() -> list[str]:
    """The revisions that this program knows, oldest first: the first word of each script's name."""
    return sorted(path.name.partition("_")[0] for path in _SCRIPTS.glob("[0-9]*_*.py"))


def bring_up_to_date(conn: Connection, *, migrate: bool | None) -> bool:
    """Run the migrations that are missing, in the caller's transaction. True when there were any.

    `migrate`: None runs them only on an empty database; False never.

    Raises:
        Misconfigured: `database-outdated` (migrations are missing and may not be run now), `database-newer`.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    known = revisions()
    newest, now = known[-1], _revision(conn)
    if now == newest:  # nearly always: every command asks, and Alembic takes longer to load than some take to run
        return False
    if now is not None and now not in known:
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
    from alembic import command

    command.upgrade(settings(conn), "head")
    return True


def _revision(conn: Connection) -> str | None:
    """Which revision the tables are at; None where there are none."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return None if found is None else str(found)
