"""Judging one document after the other against a route: nothing is written, no ledger is called."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connector import bookkeeping, ehf
from connector.ehf.texts import explain
from connector.errors import BadInput, ConnectorError
from connector.mapping import Mapper, Tenant
from connector.mapping.tenants import CONNECTOR, SOURCE, TenantRoute
from connector.model import Invoice, judge
from connector.options import Options
from connector.preflight import ledger
from connector.preflight.foreseen import Foreseen, customer_there
from connector.preflight.labels import label
from connector.preflight.places import place, vendors
from connector.preflight.posted import Posted, of_finding
from connector.preflight.report import Checked, Layer, Problem
from connector.preflight.words import own, said_by
from connector.store import Tx, documents, links
from connector.sync import intake
from connector.sync.canonical import stored
from connector.sync.coded import as_carried
from connector.sync.credits import as_credit_note, credited
from connector.sync.external import CREDIT_NOTE, INVOICE, form_for, registers
from connector.sync.identity import same
from connector.sync.keys import invoice_key
from connector.sync.options import Known
from connector.sync.settlements import uses_of
from connector.sync.spokes import Spoke, Spokes, check_can

_FILLED = ("seller", "payment_means", "number")
"""What a ledger that issues a document says itself: an EHF of ours is not judged by it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A connection that documents of the route go to, and what its ledger takes; `why` that could not be read now."""

    spoke: Spoke
    known: Known | None
    why: str = ""

    @property
    def options(self) -> Options | None:
        """What its ledger takes, as far as is known."""
        return self.known.options if self.known else None

    def problems(self) -> list[Problem]:
        """What is wrong with the connection itself, whatever the document."""
        found = []
        if self.why:
            name = self.spoke.name
            unread = own("options-unread", "warning", "ledger", connection=name, why=self.why)
            found.append(unread)
        return [*found, *(ledger.company(self.known.options, self.spoke.name) if self.known else ())]

    def as_json(self) -> dict[str, Any]:
        """The connection's part of the report."""
        read = self.known.read.isoformat() if self.known else None
        return {"connection": self.spoke.name, "read": read, "problems": [one.as_json() for one in self.problems()]}


@dataclass
class Preflight:
    """Judges documents for one route, one after the other; those it has seen are remembered by what they are known by.

    `fields`: of the system that the documents were made in, by kind (`Mapper.their_fields`): problems name its field.
    """

    spokes: Spokes
    tenant: Tenant
    route: TenantRoute
    targets: tuple[Target, ...]
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _numbers: set[str] = field(default_factory=set)
    _issued: set[str] = field(default_factory=set)

    def check(self, tx: Tx, posted: Posted) -> Checked:
        """Everything that is wrong with one document."""
        invoice = posted.invoice
        problems = list(posted.problems)
        if invoice is not None:
            problems += self._judged(tx, posted, invoice)
        placed = [self._placed(one, posted) for one in problems]
        facts = _facts(invoice) if invoice is not None else {}
        return Checked(posted.name, tuple(_known(placed)), facts, usable=invoice is not None)

    def series(self, tx: Tx) -> list[Problem]:
        """What all documents together show: gaps in the numbers that their source has given them."""
        if self.route.issues != SOURCE:
            return []
        name = self.tenant.name
        found = bookkeeping.gaps(
            self._issued, lambda number: bool(documents.find(tx, name, number=number, direction="outgoing", limit=1))
        )
        return [_advice(one) for one in found]

    def _judged(self, tx: Tx, posted: Posted, invoice: Invoice) -> Iterator[Problem]:
        drafted = not self.route.numbered
        if not posted.judged:
            yield from _figures(invoice)
            yield from _as_ehf(invoice, draft=drafted, sent=self.route.sends == CONNECTOR)
        for wrong in intake.objections(invoice):
            if wrong.code != "totals-wrong":  # said figure by figure already
                yield _of(wrong, "model")
        for one in bookkeeping.judge(invoice, draft=drafted):
            yield _advice(one)
        try:
            intake.check_route(self.route, invoice)
        except BadInput as error:
            yield _of(error, "route")
        customer = yield from self._parties(tx, invoice)
        here = yield from self._here(tx, posted, invoice)
        related = {"customer": "customer"}
        if invoice.is_credit_note and not here:  # what it takes of its invoice is counted already
            note = yield from self._credits(tx, posted, invoice)
            invoice = note or invoice
        elif invoice.totals and invoice.totals.prepaid and not here:
            yield from self._prepaid(tx, invoice, customer, invoice.totals.prepaid)
        for target in self.targets:
            yield from _for_target(tx, target, self.route, invoice, related, customer)

    def _parties(self, tx: Tx, invoice: Invoice) -> Generator[Problem, None, str | None]:
        """Who it is for; gives the id of the customer that is here."""
        if not _reachable(invoice):
            yield own("receiver-unknown", "warning", "model", field="buyer")
        try:
            there = same(tx, self.tenant.name, "customer", intake.buyer_of(invoice))
        except ConnectorError as error:
            if error.code == "match-unclear":
                yield _of(error, "route", field="buyer")
            return None
        return there.id if there else None

    def _here(self, tx: Tx, posted: Posted, invoice: Invoice) -> Generator[Problem, None, bool]:
        """Whether it is here already, or twice among what is checked; gives the first."""
        try:
            key = f"{invoice.kind}/{invoice_key(invoice)}"
        except BadInput as error:
            yield _of(error, "model")
            return False
        if key in self._seen:
            yield own("document-twice", "error", "route", field="number", other=self._seen[key])
        self._seen.setdefault(key, posted.name)
        self._numbers |= {said for said in (invoice.number, invoice.source_id) if said}
        self._issued |= {invoice.number} if invoice.number else set()
        there = documents.by_key(tx, self.tenant.name, invoice.kind, key.partition("/")[2])
        if there is None:
            return False
        equal = there.digest == documents.digest_of(stored(invoice)) and there.source == self.route.name
        at = "number" if invoice.number else "source_id"
        if equal:
            yield own("document-here", "warning", "route", field=at)
        else:
            yield own("document-exists", "error", "route", field=at)
        return True

    def _credits(self, tx: Tx, posted: Posted, invoice: Invoice) -> Generator[Problem, None, Invoice | None]:
        """What is wrong with a credit note over its invoice; gives it as books hold it, where it can be."""
        if not invoice.preceding_invoices:
            return None  # said by the bookkeeping rules and by the mapping
        first = invoice.preceding_invoices[0]
        try:
            return credited(tx, self.spokes, self.tenant.name, self.route, invoice, stated=posted.stated)[1]
        except ConnectorError as error:
            named = first.number or first.source_id
            if error.code == "credited-invoice-unknown" and named in self._numbers:
                yield own("credited-later", "warning", "route", field="preceding_invoices[0]", number=named)
            else:
                yield from _uncreditable(error)
        return as_credit_note(invoice, first)

    def _prepaid(self, tx: Tx, invoice: Invoice, customer: str | None, prepaid: Decimal) -> Iterator[Problem]:
        """Whether credit of the customer, or an account that the mapping names, stands behind an advance."""
        spokes = [target.spoke for target in self.targets]
        try:
            uses_of(tx, self.tenant.name, customer or "", invoice.currency, prepaid, spokes)
        except ConnectorError as error:
            yield _of(error, "route", field="totals.prepaid")

    def _placed(self, one: Problem, posted: Posted) -> Problem:
        """With its place in what was posted and in the source system, as far as they are not known already."""
        where = one.place or (place(posted.form, one.field, posted.document_type) if one.field else {})
        kind = CREDIT_NOTE if posted.document_type == "CreditNote" else INVOICE
        made_by = self.fields.get(kind)
        theirs = vendors(one.field, made_by) if made_by and one.field else None
        return replace(one, place=where, source_field=theirs)


def _for_target(
    tx: Tx, target: Target, route: TenantRoute, invoice: Invoice, related: Mapping[str, str], customer: str | None
) -> Iterator[Problem]:
    """What the mapping and the ledger of one connection say."""
    spoke, options = target.spoke, target.options
    outside = route.name in spoke.elsewhere
    form = form_for(spoke, invoice.kind, outside=outside)
    try:
        check_can(spoke, form, "register" if outside and form == INVOICE and registers(spoke) else "create")
        mapper = spoke.mapping[form]
    except ConnectorError as error:
        yield replace(_of(error.at(connection=spoke.name), "mapping"), connection=spoke.name)
        return
    kinds = {**related, **({form_for(spoke, INVOICE, outside=outside): "credited"} if invoice.is_credit_note else {})}
    context = Foreseen(tx, spoke, options, kinds)
    carried = as_carried(mapper, invoice)
    said = carried.model_dump()
    for wrong in mapper.problems(said, context):
        yield _mapped(wrong, spoke, _of_lines(str(wrong.where.get("field", "")), invoice, carried))
    yield from _customer(tx, spoke, invoice, customer)
    if options is None:
        return
    yield from ledger.document(options, spoke.name, invoice, issues=route.issues == spoke.name)
    chosen = mapper.chosen(said, context)
    yield from ledger.codes(options, spoke.name, invoice, chosen)
    yield from ledger.required(options, spoke.name, invoice, chosen, mapper.bound.shape)


def _customer(tx: Tx, spoke: Spoke, invoice: Invoice, customer: str | None) -> Iterator[Problem]:
    """Whether the customer can be made there, or may still be invoiced."""
    if customer_there(tx, customer, spoke.tenant) is False:
        name = invoice.buyer.name or "–"
        yield own("customer-inactive", "error", "ledger", field="buyer", connection=spoke.name, name=name)
    if "customer" not in spoke.mapping or (customer and links.of(tx, customer, spoke.id, "customer") is not None):
        return
    mapper: Mapper = spoke.mapping["customer"]
    for error in mapper.problems(intake.buyer_of(invoice).model_dump(), Foreseen(tx, spoke, None, {})):
        at = str(error.where.get("field", ""))
        yield _mapped(error, spoke, f"buyer.{at.removeprefix('party.')}" if at.startswith("party.") else "buyer")


def _mapped(error: ConnectorError, spoke: Spoke, at: str) -> Problem:
    where = error.where
    file, line = where.get("file"), where.get("line")
    error.where.setdefault("connection", spoke.name)
    made = _of(error, "mapping", field=at)
    return replace(made, connection=spoke.name, file=str(file) if file else None, file_line=line)


def _of_lines(at: str, invoice: Invoice, carried: Invoice) -> str:
    """A dimension that was said on the lines alone, where it was said."""
    name = at.removeprefix("dimensions.")
    if at == name or getattr(invoice.dimensions, name, None) == getattr(carried.dimensions, name, None):
        return at
    return f"lines[0].{at}"


def _of(error: ConnectorError, layer: Layer, *, field: str | None = None) -> Problem:
    at = str(error.where.get("field", "")) if field is None else field
    if at:
        error.where["field"] = at
    return Problem(error.code, "error", layer, *said_by(error, layer), field=at)


def _advice(one: bookkeeping.Finding) -> Problem:
    said = {"field": one.field, "law": one.law, "values": one.values}
    return Problem(one.rule, one.severity, "no-bok", one.message, one.fix, **said)  # type: ignore[arg-type]


_SIDES = ("asked", "left")
"""The figures that a credit note which takes too much is told with."""


def _uncreditable(error: ConnectorError) -> Iterator[Problem]:
    problems = error.details.get("problems", ()) if isinstance(error.details, dict) else ()
    for one in problems:
        figures = {side: ", ".join(f"{label(what)} {amount}" for what, amount in one[side].items()) for side in _SIDES}
        where = {"field": str(one["field"]), **figures}
        single = BadInput(str(one["message"]), code=str(one["code"]), do=error.do, where=where)
        yield _of(single, "route", field=str(one["field"]))
    if not problems:
        at = str(error.where.get("field") or "preceding_invoices[0]")
        yield _of(error, "route", field=at)


def _figures(invoice: Invoice) -> Iterator[Problem]:
    """Stated figures that do not hold together, by the official rules' ids and words."""
    for one in judge(invoice) if invoice.totals else ():
        text = explain(one.rule)
        values = {"stated": "–" if one.stated is None else str(one.stated), "expected": str(one.computed)}
        yield Problem(one.rule, "error", "totals", text.message, text.fix, field=one.at, values=values)


def _as_ehf(invoice: Invoice, *, draft: bool, sent: bool) -> Iterator[Problem]:
    """The official rules on the EHF that the document would be. Where the ledger issues and sends it, what the ledger
    says itself is left out, and the rest is a warning: the EHF is the ledger's.
    """
    numbered = intake.as_issued(invoice) if draft else invoice
    filled = ("number",) if sent else _FILLED
    try:
        report = ehf.validate(ehf.write(numbered))
    except BadInput as error:
        for fault in error.details or ():
            wrong = BadInput(fault["message"], code=fault["code"], do=fault["do"])
            yield replace(_of(wrong, "model", field=fault["field"]), severity="error" if not draft else "warning")
        return
    stated = {one.rule for one in judge(invoice)} if invoice.totals else set()
    for finding in report.findings:
        fatal = finding.severity == "fatal" and (sent or not draft)
        one = of_finding(finding, "error" if fatal else "warning", form="json")
        if finding.rule not in stated and not (draft and one.field.split(".")[0].split("[")[0] in filled):
            yield one


def _reachable(invoice: Invoice) -> bool:
    who = invoice.buyer
    mail = who.contact.email if who.contact else None
    return bool(who.endpoint or who.organisation_number or who.legal_id or mail)


def _facts(invoice: Invoice) -> dict[str, Any]:
    """What is known of a document. Of the receiver: what it says itself; whether it can take EHF is looked up by nobody
    yet.
    """
    who = invoice.buyer
    receiver = {
        "name": who.name,
        "organisation_number": who.organisation_number,
        "endpoint": f"{who.endpoint.scheme or '-'}:{who.endpoint.value}" if who.endpoint else None,
        "email": who.contact.email if who.contact else None,
        "country": who.address.country if who.address else None,
        "looked_up": False,
    }
    payable = invoice.totals.payable if invoice.totals else None
    return {
        "kind": invoice.kind,
        "number": invoice.number,
        "source_id": invoice.source_id,
        "currency": invoice.currency,
        "payable": None if payable is None else str(payable),
        "receiver": {name: value for name, value in receiver.items() if value is not None},
    }


def _known(problems: list[Problem]) -> Iterator[Problem]:
    """Each once: two rooms may say the same of the same field."""
    told = set()
    for one in problems:
        key = (one.code, one.field, one.connection, tuple(one.place.items()), one.message["en"])
        if key not in told:
            told.add(key)
            yield one
