"""One effect: its steps, each attempt written down before its call, unknown outcomes resolved by looking.

The order of things is what keeps "once":

* an attempt is committed before its call, with the end of the step before it in the same transaction
* a call that ended without a sound answer is *unknown*; nothing is called again before looking
* one find is the proof; none is believed only after a second look, made when `settle` seconds have passed since this
  worker first saw it unknown (on a clock that nobody sets); several, or none where there is no marker, is for a person
* every write checks the lane's epoch; whoever has lost the lease drops everything
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from connector.errors import Clash, ConnectorError, NeedsPerson, Refused, Stop, TryLater
from connector.http import now
from connector.lanes import ends
from connector.lanes.ends import Patience
from connector.lanes.handlers import EffectHandler, Nothing
from connector.lanes.held import Held, Said
from connector.ports import Goal, Proof, Run, Step
from connector.store import Moved, Tx, attempts, new_id, operations
from connector.store import work as works
from connector.store.attempts import Attempt
from connector.store.engine import TROUBLE
from connector.store.leases import LostLease
from connector.store.work import Work

log = structlog.get_logger(__name__)

NOTHING_HAPPENED = (TryLater, Refused, NeedsPerson, Stop)
"""What a call raises when it is certain that it took no effect (see `ports.Step`)."""
_AGAIN = 5
"""How often the end of a work is written anew when something moved underneath."""

Write = Callable[[Tx], None]


class Effect:
    """One turn of one effect."""

    def __init__(self, held: Held, handler: EffectHandler, work: Work, patience: Patience) -> None:
        self.held = held
        self.handler = handler
        self.work = work
        self.patience = patience
        self.proofs: dict[str, Proof] = {}
        self.progress = False
        self._pending: list[Write] = []
        """What is to be written with the next commit: the end of the step before."""

    async def run(self) -> None:
        """Do what can be done now. Every way out leaves the work in a state that says what comes next.

        Raises:
            LostLease: the lane is not ours any more; nothing more was written.
        """
        try:
            goal = await self._decide()
            if goal is None:
                return
            steps = await self.handler.flow(self.work, goal)
            unresolved = await self._remember()
        except (LostLease, *TROUBLE):
            raise
        except Exception as exc:
            if not isinstance(exc, ConnectorError):
                log.error("effect-failed", work=self.work.id, kind=self.work.kind, **ends.fault(exc))
            # What was running when its process died is not known, whatever else is wrong.
            await self._failed(_as_error(exc), state="queued" if self.work.state == "queued" else "unknown")
            return
        if unresolved is not None and not await self._look(goal, steps, unresolved):
            return
        for step in steps:
            if step.name not in self.proofs:
                if self.held.stopping or self.work.connection in self.held.back.connections:
                    await self._commit(lambda tx: works.move(tx, self.work, "queued", due=tx.now))
                    return
                if (left := self.held.rests()) > 0:
                    due = timedelta(seconds=left)
                    await self._commit(lambda tx, due=due: works.move(tx, self.work, "queued", due=tx.now + due))  # type: ignore[misc]
                    return
                if not await self._step(goal, step):
                    return
        await self._done()

    # --- before the first call

    async def _decide(self) -> Goal | None:
        if self.work.goal is not None:
            return self.work.goal
        decision = await self.handler.decide(self.work)
        if isinstance(decision, Nothing):
            said = {"code": "nothing-to-do", "message": decision.reason}

            def over(tx: Tx) -> None:
                works.move(tx, self.work, "done", error=said)
                for operation in operations.find(tx, work=self.work.id):
                    operations.move(tx, operation, "done", result=said)

            await self.held.write(over)
            return None
        return decision

    async def _remember(self) -> Attempt | None:
        """What was proved before, and the attempt whose outcome is not known, if there is one."""
        if self.work.goal is None:
            return None
        unresolved = None
        for attempt in await self.held.store.read(lambda tx: attempts.of_work(tx, self.work.id)):
            if attempt.what == "look":
                continue
            if attempt.outcome == attempts.PROVED and attempt.proof is not None:
                self.proofs[attempt.step] = attempt.proof
                continue
            self.proofs.pop(attempt.step, None)  # a step that reads has begun anew
            if attempt.outcome in (None, attempts.UNKNOWN):
                unresolved = attempt
        return unresolved

    # --- a step

    async def _step(self, goal: Goal, step: Step) -> bool:
        """Make one step's call; False when the turn is over."""
        witness = None
        before = Said()
        if step.witness is not None:
            if self._pending:
                await self._commit()
            try:
                witness = await self.held.call(
                    partial(step.witness, Run(goal, dict(self.proofs))), step.timeout, before
                )
            except LostLease:
                raise
            except Exception as exc:
                await self._failed(_as_error(exc), state="queued")
                return False
        id = new_id()
        self.held.journal.waits(id)
        try:
            return await self._attempt(goal, step, id, witness, before)
        finally:
            self.held.journal.over(id)

    async def _attempt(self, goal: Goal, step: Step, id: str, witness: Any, before: Said) -> bool:
        """Write an attempt down, make its call, and keep how it ended."""

        def begin(tx: Tx) -> None:
            attempts.begin(
                tx,
                id,
                self.work,
                step=step.name,
                lane=self.held.key,
                epoch=self.held.epoch,
                witness=witness,
                reads=step.reads,
            )
            if self.work.goal is None:
                works.decided(tx, self.work, goal)
            if self.work.state != "running":
                works.move(tx, self.work, "running", due=tx.now, looks=0)

        await self._commit(begin)
        self.work = replace(self.work, state="running", goal=goal)
        said = Said(before=before.as_json())
        run = Run(goal, dict(self.proofs), witness)
        try:
            proof = await self.held.call(partial(step.call, run), step.timeout, said, attempt=id)
        except LostLease:
            raise
        except NOTHING_HAPPENED as exc:
            outcome = attempts.NOT_TAKEN if isinstance(exc, TryLater) else attempts.REFUSED
            self._pending.append(_ended(id, outcome, error=exc.as_json(), exchanges=said.as_json()))
            await self._failed(exc, state="queued")
            return False
        except Exception as exc:
            if not isinstance(exc, ConnectorError):
                log.error("call-failed", work=self.work.id, step=step.name, **ends.fault(exc))
            await self._no_answer(step, id, _as_error(exc), said)
            return False
        return await self._proved(step, goal, id, proof, said)

    async def _proved(self, step: Step, goal: Goal, id: str, proof: Proof, said: Said) -> bool:
        self._pending.append(_ended(id, attempts.PROVED, proof=proof, exchanges=said.as_json()))
        if step.witness is not None:
            self._pending.append(self._claim(goal, proof))
            try:
                await self._commit()
            except Clash as exc:  # the row it names is another effect's: then what became of ours is not known
                self._pending.clear()
                await self._no_answer(step, id, exc, said)
                return False
        self.proofs[step.name] = proof
        self.progress = True
        return True

    async def _no_answer(self, step: Step, id: str, exc: ConnectorError, said: Said) -> None:
        """The call may have taken effect. Where calling again is harmless, it is; everything else is looked for."""
        error, exchanges = exc.as_json(), said.as_json()
        if step.look is None:
            self._pending.append(_ended(id, attempts.NOT_TAKEN, error=error, exchanges=exchanges))
            await self._failed(exc, state="queued", again=exc.code != "internal-error")
            return
        self._pending.append(_ended(id, attempts.UNKNOWN, error=error, exchanges=exchanges))
        self.held.unknown_since[id] = now()
        await self._commit(lambda tx: works.move(tx, self.work, "unknown", due=tx.now, looks=0, error=error))

    def _claim(self, goal: Goal, proof: Proof) -> Write:
        def write(tx: Tx) -> None:
            attempts.claim(
                tx, self.work.connection or "", goal.kind, proof.id, work=self.work.id, document=self.work.document
            )

        return write

    # --- an unknown outcome

    async def _look(self, goal: Goal, steps: Sequence[Step], attempt: Attempt) -> bool:
        """Find out what became of an attempt. True: it is resolved and the steps go on; False: the turn is over."""
        step = next((one for one in steps if one.name == attempt.step), None)
        if step is None:
            reason = Stop(f"The flow has no step {attempt.step} any more.", code="step-vanished")
            await self._commit(lambda tx: ends.park(tx, self.work, reason, unresolved=True))
            return False
        if step.look is None:
            self._pending.append(partial(attempts.resolve, id=attempt.id, outcome=attempts.NOT_TAKEN))
            return True
        since = self.held.unknown_since.setdefault(attempt.id, now())
        id, began, said = new_id(), self.held.store.clock(), Said()
        looked = partial(
            attempts.looked,
            id=id,
            work=self.work,
            step=step.name,
            lane=self.held.key,
            epoch=self.held.epoch,
            began=began,
        )
        run = Run(goal, dict(self.proofs), attempt.witness)
        try:
            found = list(await self.held.call(partial(step.look, run), step.timeout, said))
        except LostLease:
            raise
        except Exception as exc:
            error = _as_error(exc)
            outcome = attempts.REFUSED if isinstance(error, Refused | Stop | NeedsPerson) else attempts.NOT_TAKEN
            self._pending.append(partial(looked, outcome=outcome, error=error.as_json(), exchanges=said.as_json()))
            await self._failed(error, state="unknown", again=not isinstance(error, Refused | Stop))
            return False
        waited = now() - since
        if step.witness is not None and found:
            ids = [proof.id for proof in found]
            taken = await self.held.store.read(
                lambda tx: attempts.claimed(tx, self.work.connection or "", goal.kind, ids, but=self.work.id)
            )
            found = [proof for proof in found if proof.id not in taken]
        outcome = attempts.FOUND if found else attempts.FOUND_NOTHING
        self._pending.append(partial(looked, outcome=outcome, exchanges=said.as_json()))
        if len(found) == 1:
            return await self._found(step, goal, attempt, found[0])
        if found and step.witness is not None and not self.work.looks:
            # One of them may be another effect's, whose claim is not written yet: look once more before a person does.
            pause = timedelta(seconds=self.patience.first)
            await self._commit(
                lambda tx: works.move(tx, self.work, "unknown", due=tx.now + pause, looks=1, error=self.work.error)
            )
            return False
        if found:
            await self._ask(
                f"{len(found)} things there could be what was made: {', '.join(proof.id for proof in found)}.",
                "several-found",
            )
            return False
        looks = self.work.looks + 1
        if looks < 2 or waited < step.settle:
            due = timedelta(seconds=max(step.settle - waited, min(step.settle, 1.0)))
            await self._commit(
                lambda tx: works.move(tx, self.work, "unknown", due=tx.now + due, looks=looks, error=self.work.error)
            )
            return False
        if step.witness is not None:
            await self._ask(
                "The answer was lost, and nothing new is there that could be it; what is made there carries no mark of "
                "ours, so this is no proof.",
                "outcome-unclear",
            )
            return False
        if step.speaks_for is not None and await self._lost(step) > step.speaks_for:
            await self._ask(
                "The answer was lost again and nothing is found; after more than one such call that proves nothing.",
                "outcome-unclear",
            )
            return False
        why = _reason(attempt.error)
        if why is not None:
            self._pending.append(partial(attempts.resolve, id=attempt.id, outcome=attempts.DISPROVED))
            await self._failed(why, state="queued")
            return False
        self._pending.append(partial(attempts.resolve, id=attempt.id, outcome=attempts.DISPROVED))
        self.held.unknown_since.pop(attempt.id, None)
        return True

    async def _found(self, step: Step, goal: Goal, attempt: Attempt, proof: Proof) -> bool:
        self._pending.append(partial(attempts.resolve, id=attempt.id, outcome=attempts.PROVED, proof=proof))
        if step.witness is not None:
            self._pending.append(self._claim(goal, proof))
            try:
                await self._commit()
            except Clash:  # somebody claimed it in this very moment: look again
                self._pending.clear()
                pause = timedelta(seconds=self.patience.first)
                await self._commit(
                    lambda tx: works.move(tx, self.work, "unknown", due=tx.now + pause, error=self.work.error)
                )
                return False
        self.held.unknown_since.pop(attempt.id, None)
        self.proofs[step.name] = proof
        self.progress = True
        return True

    async def _lost(self, step: Step) -> int:
        """How many calls of a step have ended, or died, without a sound answer, and are not proved since."""
        tried = await self.held.store.read(lambda tx: attempts.of_work(tx, self.work.id))
        lost = {None, attempts.UNKNOWN, attempts.DISPROVED}
        return sum(one.step == step.name and one.what == "call" and one.outcome in lost for one in tried)

    async def _ask(self, said: str, code: str) -> None:
        reason = Stop(
            said,
            code=code,
            do="Look in the system. If it is there: happened, with its id. If it is not: did-not-happen.",
        )
        await self._commit(lambda tx: ends.park(tx, self.work, reason, unresolved=True))

    # --- the end

    async def _done(self) -> None:
        def write(tx: Tx) -> None:
            self.handler.done(tx, self.work, self.proofs)
            works.move(tx, self.work, "done")

        for _ in range(_AGAIN):
            try:
                await self._commit(write)
            except Moved:
                continue
            except (LostLease, *TROUBLE):
                raise
            except ConnectorError as exc:
                await self._failed(exc, state="queued", again=False)
            except Exception as exc:
                log.error("done-failed", work=self.work.id, kind=self.work.kind, **ends.fault(exc))
                await self._failed(ends.surprised(exc), state="queued", again=False)
            return
        moving = TryLater("Something else keeps changing what this would change.", code="moved")
        await self._failed(moving, state="queued")

    async def _failed(self, exc: ConnectorError, *, state: str, again: bool | None = None) -> None:
        """End the turn for this reason: later, a person, or the whole connection. `state`: what it is then."""
        tries = 0 if self.progress else self.work.tries
        again = exc.again if again is None else again
        answers = self.handler.answers(self.work)

        def write(tx: Tx) -> None:
            if isinstance(exc, NeedsPerson):
                ends.pause_connection(tx, self.work, exc, state=state, now=tx.now)
            elif again:
                ends.later(
                    tx, self.work, exc, self.patience, tries=tries, lane=self.held.key, state=state, answers=answers
                )
            else:
                ends.park(tx, self.work, exc, unresolved=state == "unknown", answers=answers)

        await self._commit(write)
        if isinstance(exc, NeedsPerson) and self.work.connection is not None:
            self.held.back.connections |= {self.work.connection}  # at once for all that are being done here

    async def _commit(self, write: Write | None = None) -> None:
        """Write what is pending, and `write`, in one transaction."""
        pending = list(self._pending)

        def all_of_it(tx: Tx) -> None:
            for one in pending:
                one(tx)
            if write is not None:
                write(tx)

        await self.held.write(all_of_it)
        self._pending.clear()


def _reason(error: Any) -> ConnectorError | None:
    """Why an attempt that was not found to have happened is not made again by itself: an error inside this program, or
    what the vendor's answer would have meant (`UnknownOutcome.refused`); None where it may be made again.
    """
    if not isinstance(error, Mapping):
        return None
    if error.get("code") == "internal-error":
        return Stop(str(error.get("message")), code="internal-error")
    said = error.get("refused")
    if not isinstance(said, Mapping):
        return None
    return Refused(
        str(said.get("message")),
        code=str(said.get("code")),
        do=said.get("do"),
        where=said.get("where"),
        status=said.get("status"),
        said_by_vendor=said.get("vendor"),
    )


def _ended(id: str, outcome: str, **more: Any) -> Write:
    return partial(attempts.end, id=id, outcome=outcome, **more)


def _as_error(exc: Exception) -> ConnectorError:
    return exc if isinstance(exc, ConnectorError) else ends.surprised(exc)
