"""Responses: what comes back is read whatever its faults, what we answer is taken, and one of several holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.api.examples import INVOICE_DRAFT
from connector.ehf import read as read_ehf
from connector.ehf import write as write_ehf
from connector.errors import BadInput
from connector.model import Draft, Identifier, Invoice, compose
from connector.peppol.responses import (
    Clarification,
    Condition,
    InvoiceResponse,
    Issue,
    MessageStatus,
    answer,
    as_json,
    from_json,
    in_words,
    read,
    standing,
    write,
)
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    FAILURES,
    MESSAGE_CODES,
    NEED_REASON,
    NEED_TEXT,
    REASON_LIST,
    REASONS,
    STATUSES,
    WARNING,
)
from connector.peppol.responses.words import _texts
from tests.ehf.proof_oracle import need_shared, official

AT = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)
PRICE = Clarification.reason("PRI", "Avtalt pris er 90 kr")


@cache
def invoice(**changes: object) -> Invoice:
    draft = Draft.model_validate({**INVOICE_DRAFT, "number": "2027-1", "issue_date": "2027-02-01", **changes})
    return read_ehf(bytes(write_ehf(compose(draft))), direction="incoming")


def response(status: str, **more: object) -> InvoiceResponse:
    why = () if status not in NEED_REASON else (PRICE,)
    given = {"id": "R1", "at": AT, "clarifications": why, **more}
    return answer(invoice(), status, **given)  # type: ignore[arg-type]


def example(name: str) -> bytes:
    return (need_shared() / "peppol-bis-3/examples" / name).read_bytes()


def code_of(error: pytest.ExceptionInfo[BadInput]) -> str:
    return error.value.code


# --- what we write ----------------------------------------------------------------------------------------------------

letters = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
words = st.text(letters | st.sampled_from("\n\r\t"), max_size=30)
conditions = st.builds(Condition, st.sampled_from(("BT-13", "BT-146")), st.none() | words)
with_text = words.filter(str.strip)


def clarification(name: str, codes: tuple[str, ...]) -> st.SearchStrategy[Clarification]:
    return st.sampled_from(codes).flatmap(
        lambda code: st.builds(
            Clarification,
            st.just(code),
            st.just(name),
            with_text if code in NEED_TEXT else st.none() | words,
            st.lists(conditions, max_size=2).map(tuple),
        )
    )


@st.composite
def answers(draw: st.DrawFn) -> InvoiceResponse:
    status = draw(st.sampled_from(STATUSES))
    reasons = REASONS if status == "PD" else tuple(code for code in REASONS if code != "PPD")
    why = draw(st.lists(clarification(REASON_LIST, reasons), min_size=status in NEED_REASON, max_size=3))
    asked = draw(st.lists(clarification(ACTION_LIST, ACTIONS), max_size=2))
    alone = draw(st.lists(st.builds(Clarification, text=with_text), max_size=1))
    return answer(
        invoice(),
        status,
        id=draw(st.uuids().map(str)),
        at=draw(st.datetimes(datetime(2017, 1, 1), datetime(2099, 1, 1), timezones=st.sampled_from(ZONES))),
        clarifications=[*why, *asked, *alone],
        effective=draw(st.none() | st.dates(date(2017, 1, 1), date(2099, 1, 1))),
        notes=draw(st.lists(words, max_size=2)),
    )


ZONES = (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-11)))


@given(answers())
def test_what_we_write_reads_back_the_same(made: InvoiceResponse) -> None:
    back = read(write(made))
    assert isinstance(back, InvoiceResponse)
    assert back.findings == tuple(found for found in back.findings if found.severity == "warning")
    assert replace(back, findings=()) == made
    assert from_json(json.loads(json.dumps(as_json(back)))) == back
    for language in ("nb", "en"):
        said = in_words(back, language)  # type: ignore[arg-type]
        assert said.text.startswith(said.title)
        assert all(one.code in said.text for one in (*made.reasons, *made.actions))  # type: ignore[operator]


@settings(max_examples=40, deadline=None)
@given(answers())
def test_what_we_write_is_what_the_official_rules_ask_for(made: InvoiceResponse) -> None:
    verdict = official().oracle.check(write(made))
    assert verdict["rulesets"] == ["invoice-response"]
    assert verdict["valid"], (verdict["xsd_errors"], verdict["fired"])


def test_an_answer_goes_from_the_buyer_to_the_seller() -> None:
    made = response("RE")
    assert (made.sender.name, made.receiver.name) == (invoice().buyer.name, invoice().seller.name)
    assert str(made.receiver_participant) == f"0192:{invoice().seller.organisation_number}"
    assert made.receiver.identifiers == (invoice().seller.legal_id,)
    assert (made.about.id, made.about.type_code, made.about.issued) == ("2027-1", "380", date(2027, 2, 1))
    assert (made.seller, made.buyer) == (made.receiver, made.sender)
    text = write(made).decode()
    assert "<cbc:IssueTime>12:30:00Z</cbc:IssueTime>" in text
    self_billed = answer(invoice().model_copy(update={"type_code": "389"}), "AP", id="R1", at=AT)
    assert (self_billed.sender.name, self_billed.receiver.name) == (invoice().seller.name, invoice().buyer.name)


def test_an_unsound_registration_is_left_out_and_an_unsound_address_refused() -> None:
    wrong = Identifier(value="923609017", scheme="0192")
    seller = invoice().seller.model_copy(update={"legal_id": wrong})
    made = answer(invoice().model_copy(update={"seller": seller}), "AP", id="R1", at=AT)
    assert made.receiver.identifiers == ()
    nowhere = invoice().model_copy(update={"seller": seller.model_copy(update={"endpoint": wrong})})
    with pytest.raises(BadInput) as error:
        write(answer(nowhere, "AP", id="R1", at=AT))
    assert (code_of(error), error.value.where["rule"]) == ("response-invalid", "PEPPOL-COMMON-R041")
    silent = invoice().model_copy(update={"seller": seller.model_copy(update={"endpoint": None})})
    with pytest.raises(BadInput) as error:
        answer(silent, "AP", id="R1", at=AT)
    assert code_of(error) == "response-unaddressed"


@pytest.mark.parametrize(
    ("status", "clarifications", "code"),
    [
        ("RE", (), "reason-missing"),
        ("CA", (Clarification.action("NIN"),), "reason-missing"),
        ("UQ", (Clarification(text="Hva er dette?"),), "reason-missing"),
        ("RE", (Clarification.reason("XXX"),), "reason-unknown"),
        ("RE", (Clarification.reason("NIN"),), "reason-unknown"),
        ("RE", (Clarification("PRI"),), "reason-unknown"),
        ("RE", (Clarification.reason("OTH", "  "),), "reason-text-missing"),
        ("PD", (Clarification.reason("PPD"),), "reason-text-missing"),
        ("AP", (Clarification.reason("PPD", "100,00"),), "reason-unfit"),
        ("RE", (Clarification.reason("PRI", "a\x00b"),), "text-not-xml"),
        ("XX", (), "response-status-unknown"),
    ],
)
def test_an_answer_nobody_could_take_is_refused(
    status: str, clarifications: tuple[Clarification, ...], code: str
) -> None:
    with pytest.raises(BadInput) as error:
        response(status, clarifications=clarifications)
    assert code_of(error) == code
    if code == "reason-missing":
        assert "PRI" in error.value.do


def test_our_own_invoice_is_not_answered() -> None:
    with pytest.raises(BadInput) as error:
        answer(invoice().model_copy(update={"direction": "outgoing"}), "AP", id="R1", at=AT)
    assert code_of(error) == "response-direction"


# --- what we read -----------------------------------------------------------------------------------------------------


def test_an_invoice_response_says_what_stands_in_it() -> None:
    got = read(example("responses/T111-uc006a-Under_query_missing_information.xml"))
    assert isinstance(got, InvoiceResponse)
    assert (got.status, got.issued, got.at, got.effective) == ("UQ", date(2017, 12, 1), None, date(2017, 12, 2))
    assert got.reasons == (Clarification("REF", REASON_LIST, None, (Condition("BT-13", "PO0001"),)),)
    assert [one.code for one in got.actions] == ["PIN"]
    assert (str(got.sender_participant), got.about.id) == ("0196:6963495890", "inv021")
    whole = read(example("responses/InvoiceResponse_Example.xml"))
    assert isinstance(whole, InvoiceResponse)
    assert whole.at == datetime(2017, 12, 1, 11, 0, tzinfo=UTC), "a time without a zone is Norwegian"
    assert whole.seller.trading_name == "Test Company AS"
    assert (whole.sender.contact and whole.sender.contact.email, whole.notes) == ("jj@test-company.dk", ("text",))
    assert not whole.findings


def test_what_is_kept_comes_out_as_it_went_in() -> None:
    for name in ("mls/MessageLevelStatus_Example_RE3.xml", "responses/InvoiceResponse_Example.xml"):
        got = read(example(name))
        assert from_json(json.loads(json.dumps(as_json(got)))) == got
    broken = read(changed(("12:30:00Z", "half past")))
    assert from_json(json.loads(json.dumps(as_json(broken)))) == broken
    said = as_json(broken)
    assert (said["kind"], said["status"], said["issued"]) == ("invoice-response", "RE", "2027-03-01")


def test_what_access_points_say() -> None:
    got = read(example("mls/MessageLevelStatus_Example_RE3.xml"))
    assert isinstance(got, MessageStatus)
    assert (got.kind, got.status, got.delivered) == ("message-level-status", "RE", False)
    assert got.about.id == "90f14eff-3705-4869-ad3c-caae270a234e"
    assert got.at == datetime(2025, 3, 11, 12, 0, tzinfo=UTC)
    assert [issue.code for issue in got.issues] == ["BV", "BW"]
    older = read(example("responses/mlr-snippets/snippet-3.xml"))
    assert isinstance(older, MessageStatus)
    assert (older.kind, older.about.id) == ("message-level-response", "EnvelopeID-12456789")
    assert older.issues[0] == Issue("BV", older.issues[0].text, None), "NA stands for no place"


def changed(*pairs: tuple[str, str]) -> bytes:
    text = write(response("RE")).decode()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


@pytest.mark.parametrize(
    ("pairs", "rules"),
    [
        ((('listID="OPStatusReason"', ""),), ["PEPPOL-T111-B03302"]),
        ((("<cbc:DocumentTypeCode>380</cbc:DocumentTypeCode>", ""),), ["PEPPOL-T111-B03902"]),
        ((("invoice_response:3</cbc:ProfileID>", "x</cbc:ProfileID>"),), ["PEPPOL-T111-R008"]),
        ((("<cbc:IssueDate>2027-03-01", "<cbc:IssueDate>1.3.2027"),), ["PEPPOL-COMMON-R030", "response-date"]),
        ((("12:30:00Z", "half past"),), ["response-time"]),
        ((("<cac:Status>", "<cbc:Description>Ring meg</cbc:Description><cac:Status>"),), ["PEPPOL-T111-B02902"]),
        ((('schemeID="0192">', 'schemeID="0192">1'),), ["PEPPOL-COMMON-R041"] * 4),
    ],
)
def test_a_rule_that_is_broken_hides_nothing(pairs: tuple[tuple[str, str], ...], rules: list[str]) -> None:
    got = read(changed(*pairs))
    assert isinstance(got, InvoiceResponse)
    assert [found.rule for found in got.findings] == rules
    assert (got.status, got.about.id, got.reasons[0].text) == ("RE", "2027-1", "Avtalt pris er 90 kr")
    assert got.notes == (("Ring meg",) if "PEPPOL-T111-B02902" in rules else ())
    assert all(found.message["nb"] and found.message["en"] and found.path for found in got.findings)


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("23:30:00+02:00", datetime(2027, 3, 1, 21, 30, tzinfo=UTC)),
        ("00:10:00+02:00", datetime(2027, 2, 28, 22, 10, tzinfo=UTC)),
        ("12:30:00.1234567Z", datetime(2027, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)),
        ("24:00:00Z", datetime(2027, 3, 2, tzinfo=UTC)),
        ("25:00:00Z", None),
        ("12:30:00", datetime(2027, 3, 1, 11, 30, tzinfo=UTC)),
    ],
)
def test_times_are_utc(time: str, at: datetime | None) -> None:
    got = read(changed(("12:30:00Z", time)))
    assert (got.issued, got.at) == (date(2027, 3, 1), at)


END = "</ApplicationResponse>"
SECOND = "<cac:DocumentReference><cbc:ID>2</cbc:ID></cac:DocumentReference></cac:DocumentResponse>"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: write_ehf(invoice()), "response-other-document"),
        (lambda: changed(("trns:invoice_response:3", "trns:order_response:3")), "response-unknown"),
        (lambda: changed(("ResponseCode>RE<", "ResponseCode>NO<")), "response-status-unknown"),
        (lambda: changed(("<cbc:ResponseCode>RE</cbc:ResponseCode>", "")), "response-status-unknown"),
        (lambda: changed(("<cbc:ID>2027-1</cbc:ID>", "")), "response-document-missing"),
        (lambda: changed(("</cac:DocumentResponse>", SECOND)), "response-several"),
        (
            lambda: changed(("</ApplicationResponse>", "<cac:DocumentResponse/></ApplicationResponse>")),
            "response-several",
        ),
        (lambda: b"<!DOCTYPE x>" + changed(), "xml-dtd"),
        (lambda: b"{}", "xml-not-well-formed"),
    ],
)
def test_what_has_no_clear_meaning_is_refused(data, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput) as error:
        read(data())
    assert code_of(error) == code
    assert error.value.do


# --- which one holds --------------------------------------------------------------------------------------------------

HOUR = timedelta(hours=1)
some = st.builds(
    lambda status, hours, number, timed, notes: replace(
        response(status, id=number, at=AT + hours * HOUR, notes=notes), **({} if timed else {"at": None})
    ),
    st.sampled_from(STATUSES) | st.just("AP"),
    st.integers(-30, 30) | st.just(0),
    st.sampled_from(("R1", "R2")),
    st.booleans(),
    st.sampled_from(((), ("a",), ("b",))),
)


@given(st.lists(some, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(responses: list[InvoiceResponse], random) -> None:  # type: ignore[no-untyped-def]
    holds = standing(responses)
    again = responses + responses[:2]
    random.shuffle(again)
    assert standing(again) == holds
    if holds is not None and holds.status in ("AB", "IP"):
        assert {one.status for one in responses} <= {"AB", "IP"}


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([("RE", 0), ("AB", 1)], "RE"),
        ([("AP", 0), ("IP", 5)], "AP"),
        ([("UQ", 0), ("IP", 1)], "UQ"),
        ([("UQ", 0), ("AP", 1)], "AP"),
        ([("AP", 0), ("UQ", 1)], "UQ"),
        ([("RE", 0), ("AP", 1), ("PD", 2), ("AB", 3)], "PD"),
        ([("AP", 0), ("PD", 0)], "PD"),
        ([("AP", 0), ("RE", 0)], "RE"),
        ([("AP", 0), ("CA", 0)], "AP"),
        ([("PD", 0), ("UQ", 0)], "PD"),
        ([("AB", 0), ("IP", 1)], "IP"),
    ],
)
def test_what_decides_outranks_what_reports_and_the_latest_holds(said: list[tuple[str, int]], holds: str) -> None:
    responses = [response(status, at=AT + hours * HOUR) for status, hours in said]
    for order in permutations(responses):
        found = standing(order)
        assert found is not None
        assert found.status == holds


def test_without_any_nothing_holds_and_without_a_date_it_comes_first() -> None:
    assert standing([]) is None
    undated = replace(response("RE"), issued=None, at=None)
    holds = standing([undated, response("AP")])
    assert holds is not None
    assert holds.status == "AP"


# --- in words ---------------------------------------------------------------------------------------------------------


def test_a_rejection_in_words() -> None:
    said = in_words(response("RE", clarifications=(PRICE, Clarification.action("CNF"))), "nb")
    assert said.title == "Kunden har avvist fakturaen"
    assert said.text.startswith(
        "Kunden har avvist fakturaen: prisen er feil (PRI). Kunden skriver: «Avtalt pris er 90 kr». "
        "Kunden ber om: kreditnota på hele beløpet (CNF)."
    )
    assert "krediter fakturaen" in said.text
    of_credit_note = replace(response("RE"), about=replace(response("RE").about, type_code="381"))
    assert "krediter" not in in_words(of_credit_note, "nb").text
    assert in_words(of_credit_note, "en").title == "The customer has rejected the credit note"


def test_a_part_that_is_paid_is_not_called_paid() -> None:
    part = response("PD", clarifications=(Clarification.reason("PPD", "1 000 kr"),), effective=date(2027, 3, 2))
    said = in_words(part, "nb")
    assert said.title == "Kunden har meldt fakturaen som delvis betalt"
    assert "«1 000 kr». Betalingsdag: 2.3.2027." in said.text
    assert in_words(response("PD"), "en").title == "The customer says that the invoice is paid"


def test_what_nobody_has_foreseen_is_said_too() -> None:
    odd = replace(
        response("RE"),
        clarifications=(
            Clarification(
                "XYZ", "OPStatusReason", "{not} a {template}.", (Condition("BT-13", "PO 1"), Condition("BT-999"))
            ),
        ),
        effective=date(2027, 3, 5),
    )
    text = in_words(odd, "en").text
    for part in ("The code XYZ.", "“{not} a {template}”", "order number (BT-13): “PO 1”", "BT-999", "2027-03-05"):
        assert part in text
    status = replace(read_status(), issues=tuple(Issue("FD", f"fault {number}") for number in range(8)))
    text = in_words(status, "nb").text
    assert "det kunne ikke leveres til mottakeren (FD): fault 0" in text
    assert "Og 3 til." in text


def test_words_stay_short_enough_for_a_note() -> None:
    many = [Clarification.reason("PRI", f"{number} {'x' * 10_000}") for number in range(1000)]
    long = replace(response("RE"), clarifications=tuple(many))
    text = in_words(long, "nb").text
    assert len(text) < 3_000
    assert "Og 990 til." in text


def test_findings_do_not_grow_with_the_document() -> None:
    got = read(changed((END, f"{'<cbc:Note/>' * 30_000}{END}")))
    assert got.findings
    assert len(got.findings) < 200


def read_status() -> MessageStatus:
    got = read(example("mls/MessageLevelStatus_Example_RE.xml"))
    assert isinstance(got, MessageStatus)
    return got


def test_every_code_has_words_in_both_languages() -> None:
    texts = _texts()
    for kind, codes in {
        "status": STATUSES,
        "reason": REASONS,
        "action": ACTIONS,
        "message": MESSAGE_CODES,
        "issue": (*FAILURES, WARNING),
    }.items():
        assert set(texts[kind]) == set(codes)
    for kind in ("status", "reason", "action", "message", "issue", "term"):
        for code, entry in texts[kind].items():
            there = {key.removeprefix("nb").removeprefix("en") for key in entry}
            assert {f"{language}{key}" for language in ("nb", "en") for key in there} == set(entry), code
    assert texts["phrase"]["nb"].keys() == texts["phrase"]["en"].keys()
    assert all("nb-do" in texts[kind][code] for kind in ("status", "message") for code in texts[kind])
