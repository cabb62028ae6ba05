"""`reconcile` said as a table, and as properties over made-up records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sync.reconcile import Base, Decision, Difference, Owner, Policy, reconcile

OLD = {"name": "Berg AS", "email": "post@berg.example"}
NEW = {"name": "Berg Rør AS", "email": "post@berg.example"}
THEIRS_NEW = {"name": "BERG AS", "email": "post@berg.example"}
ALIKE = Base(sent=OLD, seen=OLD)
TRIMMED = Base(sent=OLD, seen={"name": "Berg", "email": "post@berg.example"})


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "policy", "decision"),
    [
        pytest.param(None, None, None, Policy(), Decision(), id="nobody has it"),
        pytest.param(None, OLD, None, Policy(), Decision(create="theirs"), id="only we have it"),
        pytest.param(None, None, OLD, Policy(), Decision(create="ours"), id="only they have it"),
        pytest.param(ALIKE, OLD, None, Policy(), Decision(vanished=True), id="it vanished there"),
        pytest.param(ALIKE, OLD, OLD, Policy(), Decision(), id="nothing changed"),
        pytest.param(TRIMMED, OLD, TRIMMED.seen, Policy(), Decision(), id="a vendor that trims makes no echo"),
        pytest.param(ALIKE, NEW, OLD, Policy(), Decision(push={"name": "Berg Rør AS"}), id="only ours"),
        pytest.param(ALIKE, OLD, NEW, Policy(), Decision(take={"name": "Berg Rør AS"}), id="only theirs"),
        pytest.param(ALIKE, NEW, NEW, Policy(), Decision(), id="both, to the same value"),
        pytest.param(
            ALIKE,
            NEW,
            THEIRS_NEW,
            Policy(),
            Decision(conflicts=(Difference("name", "Berg AS", "Berg Rør AS", "BERG AS"),)),
            id="both, nobody owns it: a person",
        ),
        pytest.param(
            ALIKE,
            NEW,
            THEIRS_NEW,
            Policy(owner={"name": Owner.OURS}),
            Decision(push={"name": "Berg Rør AS"}),
            id="both, ours owns it",
        ),
        pytest.param(
            ALIKE,
            NEW,
            THEIRS_NEW,
            Policy(default=Owner.THEIRS),
            Decision(take={"name": "BERG AS"}),
            id="both, theirs owns it",
        ),
        pytest.param(
            ALIKE,
            {**OLD, "name": "Ny"},
            {**OLD, "email": "ny@berg.example"},
            Policy(),
            Decision(push={"name": "Ny"}, take={"email": "ny@berg.example"}),
            id="each another field: merged",
        ),
        pytest.param(
            ALIKE,
            OLD,
            THEIRS_NEW,
            Policy(issued=True),
            Decision(drift=(Difference("name", "Berg AS", "Berg AS", "BERG AS"),)),
            id="an issued document differs: drift, never overwritten",
        ),
        pytest.param(
            ALIKE,
            OLD,
            THEIRS_NEW,
            Policy(issued=True, amendable=frozenset({"name"})),
            Decision(take={"name": "BERG AS"}),
            id="an issued document, a field that may change",
        ),
        pytest.param(ALIKE, OLD, {"name": "Berg AS"}, Policy(), Decision(), id="a hidden field is not cleared"),
        pytest.param(
            Base(sent=OLD, seen={"name": "Berg AS"}),
            OLD,
            {"name": "Berg AS", "email": "Post@berg.example"},
            Policy(),
            Decision(),
            id="a field seen for the first time is no change",
        ),
        pytest.param(
            ALIKE, NEW, OLD, Policy(only_in=frozenset({"name"})), Decision(), id="an only-in field is never pushed"
        ),
        pytest.param(
            ALIKE, OLD, NEW, Policy(only_out=frozenset({"name"})), Decision(), id="an only-out field is never taken"
        ),
        pytest.param(
            None,
            OLD,
            NEW,
            Policy(),
            Decision(conflicts=(Difference("name", None, "Berg AS", "Berg Rør AS"),)),
            id="first meeting, a difference: a person",
        ),
    ],
)
def test_every_branch(base, ours, theirs, policy, decision):
    assert reconcile(base, ours, theirs, policy) == decision


records = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3))
policies = st.builds(
    Policy,
    owner=st.dictionaries(st.sampled_from("abcde"), st.sampled_from(Owner)),
    only_in=st.frozensets(st.sampled_from("ab"), max_size=1),
    only_out=st.frozensets(st.sampled_from("cd"), max_size=1),
    issued=st.booleans(),
    amendable=st.frozensets(st.sampled_from("abcde")),
)


@given(st.none() | st.builds(Base, sent=records, seen=records), records, records, policies)
def test_done_once_is_done(base, ours, theirs, policy):
    """After the decision is carried out and noted, the next look finds nothing, whatever the vendor makes of it."""
    decision = reconcile(base, ours, theirs, policy)
    ours_after = {**ours, **decision.take}
    theirs_after = {**theirs, **{path: value if path == "a" else -1 for path, value in decision.push.items()}}
    noted = Base(sent=ours_after, seen=theirs_after)
    assert not reconcile(noted, ours_after, theirs_after, policy)


@given(st.builds(Base, sent=records, seen=records), records, records, policies)
def test_what_is_pushed_or_taken_is_somebodys_value_and_one_way_fields_stay_one_way(base, ours, theirs, policy):
    decision = reconcile(base, ours, theirs, policy)
    assert all(ours[path] == value for path, value in decision.push.items())
    assert all(theirs[path] == value for path, value in decision.take.items())
    assert not policy.only_in & decision.push.keys()
    assert not policy.only_out & decision.take.keys()
    named = [*decision.push, *decision.take, *(d.field for d in decision.conflicts + decision.drift)]
    assert len(named) == len(set(named)), "a field has one outcome"
    if policy.issued:
        changed = decision.push.keys() | decision.take.keys()
        assert changed <= policy.amendable | policy.only_in, "an issued document is immutable"
