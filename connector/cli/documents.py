"""`connector documents`: find, show, explain, settle."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.rule import Rule

from connector.cli import remapping
from connector.cli.common import (
    FieldOption,
    Format,
    FormatOption,
    TenantOption,
    fields_of,
    out,
    show,
    tenant_of,
    with_house,
)
from connector.cli.telling import differing, tell
from connector.errors import BadInput
from connector.lanes import Verb, story
from connector.peppol import correcting, responding, sending
from connector.peppol.responses import Clarification
from connector.service.house import House
from connector.store import Tx, attention, documents, links
from connector.sync import answers, incoming
from connector.sync.external import form_of

app = typer.Typer(
    help="Documents: find them, read their whole story, settle what waits.", no_args_is_help=True, rich_markup_mode=None
)

Id = Annotated[str, typer.Argument(help="Id of the document, or its number or source id where only one has it.")]


@app.command("find")
def find_documents(
    kind: Annotated[
        str | None,
        typer.Option(help="invoice, credit_note, payment, supplier_invoice, customer, product, department …"),
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="accepted, issued, paid, credited, received, booked, known.")
    ] = None,
    number: Annotated[str | None, typer.Option(help="Number (BT-1).")] = None,
    kid: Annotated[str | None, typer.Option(help="KID.")] = None,
    counterparty: Annotated[str | None, typer.Option(help="Part of the name, or the organisation number.")] = None,
    voucher: Annotated[str | None, typer.Option(help="Voucher in a ledger: 2027/1043.")] = None,
    limit: Annotated[int, typer.Option(help="Most documents shown.")] = 50,
    tenant: TenantOption = None,
    format: FormatOption = Format.text,
) -> None:
    """List documents, newest first."""

    async def use(house: House) -> list[documents.Document]:
        name = tenant_of(house, tenant)
        return await house.store.read(
            lambda tx: documents.find(
                tx, name, kind=kind, state=state, number=number, kid=kid, counterparty=counterparty, voucher=voucher,
                limit=limit, newest_first=True,
            )
        )  # fmt: skip

    found = with_house(use)
    rows = (
        (d.id, d.kind, d.state, d.number or d.source_id, d.counterparty_name, d.issue_date, d.payable, d.open_amount,
         d.currency)
        for d in found
    )  # fmt: skip
    value = [
        {name: getattr(d, name) for name in ("id", "kind", "state", "number", "source_id", "kid", "counterparty_name",
         "issue_date", "due_date", "payable", "open_amount", "currency")}
        for d in found
    ]  # fmt: skip
    columns = ("Id", "Kind", "State", "Number", "Counterparty", "Date", "Amount", "Open", "")
    show(format, value, columns, rows, "No document fits.")


@app.command()
def explain(document: Id, tenant: TenantOption = None, format: FormatOption = Format.text) -> None:
    """Tell the whole story of a document: what came, what was sent and answered (secrets masked), what it waits for."""
    told = with_house(lambda house: explained(house, tenant_of(house, tenant), document))
    if format is Format.json:
        show(format, told | {"story": [entry.as_json() for entry in told["story"]]}, (), (), "")
        return
    tell_all(told)


async def explained(house: House, tenant: str, document: str) -> dict[str, Any]:
    """What is known of a document of a tenant: itself, its links, the lines of its mappings, its story, what waits."""
    names = {spoke.id: spoke for spoke in house.spokes(tenant)}

    def read(tx: Tx) -> dict[str, Any]:
        found = the_document(tx, tenant, document)
        return {
            "document": {
                "id": found.id, "kind": found.kind, "state": found.state, "number": found.number, "kid": found.kid,
                "counterparty": found.counterparty_name, "payable": found.payable, "open": found.open_amount,
                "currency": found.currency,
            },
            "links": [
                {
                    "connection": names[link.connection].name if link.connection in names else link.connection,
                    "vendor_id": link.vendor_id, "number": link.number, "voucher": link.voucher,
                    "series": link.series, "period": link.period,
                    "dispatch": link.dispatch,
                }
                for link in links.all_of(tx, found.id)
            ],
            "mapping": {
                spoke.name: [
                    {"line": f"{info.origin.file}:{info.origin.line}", "what": info.sentence}
                    for info in spoke.mapping[form_of(spoke, found)].fields()
                ]
                for spoke in names.values()
                if form_of(spoke, found) in spoke.mapping and links.of(tx, found.id, spoke.id) is not None
            },
            "story": story(tx, tenant, found.id),
            "names": house.names(tenant),
            "attention": [
                {"id": item.id, "code": item.code, "said": item.said, "do": item.do, "verbs": item.verbs,
                 "details": item.details}
                for item in attention.find(tx, tenant=tenant, document=found.id)
            ],
        }  # fmt: skip

    return await house.store.read(read)


@app.command("resolve")
def settle(
    document: Id,
    happened: Annotated[
        str | None,
        typer.Option(
            "--happened", metavar="VENDOR_ID", help="It happened, or it is this one: what it is called there."
        ),
    ] = None,
    link: Annotated[
        str | None,
        typer.Option("--link", metavar="VENDOR_ID", help="It was booked there by hand: what it is called there."),
    ] = None,
    did_not_happen: Annotated[bool, typer.Option("--did-not-happen", help="It did not happen: do it.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Mended: try again.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="It shall not be done.")] = False,
    ours: Annotated[bool, typer.Option("--ours", help="What is here holds, there too.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="What is there holds, here too.")] = False,
    merge: Annotated[bool, typer.Option("--merge", help="The later change of each field, or as --field says.")] = False,
    field: FieldOption = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="Looked at: it stays as it is.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="What speaks against it is all right: go on.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="It shall go no further, and is kept.")] = False,
    who: Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
) -> None:
    """Settle what waits for a person on a document. Exactly one answer; it is audited."""
    said = [
        (Verb.HAPPENED, happened),
        (Verb.LINK, link),
        (Verb.DID_NOT_HAPPEN, did_not_happen),
        (Verb.RETRY, retry),
        (Verb.CANCEL, cancel),
        (Verb.OURS, ours),
        (Verb.THEIRS, theirs),
        (Verb.MERGE, merge),
        (Verb.IGNORE, ignore),
        (Verb.ACCEPT, accept),
        (Verb.REFUSE, refuse),
    ]
    chosen = [verb for verb, given in said if given]
    if len(chosen) != 1:
        raise typer.BadParameter(
            "Say exactly one of --happened, --link, --did-not-happen, --retry, --cancel, --ours, --theirs, --merge,"
            " --ignore, --accept, --refuse."
        )
    fields = fields_of(field)

    async def use(house: House) -> int:
        name = tenant_of(house, tenant)

        def write(tx: Tx) -> int:
            found = the_document(tx, name, document)
            items = [i for i in attention.find(tx, tenant=name, document=found.id) if chosen[0] in i.verbs]
            if not items:
                raise BadInput(
                    f"Nothing on this document waits for `{chosen[0]}`.",
                    code="nothing-to-settle",
                    do=f"See what waits: connector documents explain {found.id}",
                )
            for item in items:
                answers.answer(tx, house, name, item.id, chosen[0], vendor_id=happened or link, fields=fields, who=who)
            return len(items)

        return await house.store.write(write)

    out.print(f"Settled {with_house(use)} item(s): {chosen[0]}.")


@app.command()
def receive(
    files: Annotated[list[Path], typer.Argument(help="EHF files that were sent to the company.", exists=True)],
    route: Annotated[str | None, typer.Option(help="Route; the one that receives, if left out.")] = None,
    tenant: TenantOption = None,
) -> None:
    """Take incoming invoices from files. The same file again is the same message; nothing is taken twice."""

    async def use(house: House) -> list[tuple[str, str]]:
        owner = house.tenant(tenant_of(house, tenant))
        found = []
        for file in files:
            body = file.read_bytes()
            message = hashlib.sha256(body).hexdigest()
            operation = await house.store.write(
                lambda tx, b=body, m=message: incoming.receive(  # type: ignore[misc]
                    tx, owner, source="file", message=m, body=b, route=route
                )
            )
            found.append((file.name, operation.id))
        return found

    for name, operation in with_house(use):
        out.print(f"{name}: kept, operation {operation}", markup=False)


@app.command()
def send(
    document: Id,
    mended: Annotated[
        Path | None,
        typer.Option("--with", help="EHF: the same document, mended, that is sent in its place.", exists=True),
    ] = None,
    who: Annotated[str, typer.Option(help="Who decides this; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
) -> None:
    """Send an invoice or credit note through Peppol: one that nobody has asked to be sent, or one that did not arrive.

    What has not reached its receiver may be sent again under its number, mended but for its figures, dates and number.
    What the receiver has can only be credited. Exit status 0: it is on its way, or waits for `connector serve`; 2: not.
    """

    async def use(house: House) -> str:
        name = tenant_of(house, tenant)
        body = mended.read_bytes() if mended else None
        if body is not None and (wrong := sending.invalid(body)) is not None:
            raise wrong

        def write(tx: Tx) -> str:
            found = the_document(tx, name, document)
            correcting.send(tx, house.access_points, name, found.id, mended=body, who=who)
            return found.number or found.id

        return await house.store.write(write)

    out.print(f"{with_house(use)} is to be sent.", markup=False)


@app.command()
def respond(
    document: Id,
    accept: Annotated[bool, typer.Option("--accept", help="It is accepted (AP).")] = False,
    reject: Annotated[
        list[str] | None,
        typer.Option("--reject", metavar="REASON", help="It is rejected (RE): a reason, or several times, see below."),
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option("--query", metavar="REASON", help="The seller must answer something first (UQ).")
    ] = None,
    conditions: Annotated[
        list[str] | None, typer.Option("--conditions", metavar="REASON", help="Accepted with conditions (CA).")
    ] = None,
    paid: Annotated[bool, typer.Option("--paid", help="It has been paid (PD).")] = False,
    received: Annotated[bool, typer.Option("--received", help="It has arrived (AB).")] = False,
    in_process: Annotated[bool, typer.Option("--in-process", help="It is being handled (IP).")] = False,
    action: Annotated[
        list[str] | None, typer.Option(help="What the seller is asked to do: NIN a new invoice, CNF a credit note …")
    ] = None,
    note: Annotated[list[str] | None, typer.Option(help="Words beside it.")] = None,
    who: Annotated[str, typer.Option(help="Who answers; it is written down.", envvar="USER")] = "command line",
    tenant: TenantOption = None,
) -> None:
    """Answer an incoming invoice, so that its sender knows how it stands. Exactly one answer.

    A reason is a code with words after it: --reject "PRI:The price is not the one agreed". Codes: REF references, LEG
    legal, REC receiver unknown, QUA quality, DEL delivery, PRI price, QTY quantity, ITM item, PAY payment terms, UNR
    not recognised, FIN finance terms, OTH other (with words). Actions: NOA none, PIN provide information, NIN new
    invoice, CNF full credit, CNP partial credit, CNA amount credit, OTH other.

    The answer changes nothing in the books. Exit status 0: it is on its way, or waits for `connector serve`; 2: not.
    """
    given = {"AP": accept, "RE": reject, "UQ": query, "CA": conditions, "PD": paid, "AB": received, "IP": in_process}
    chosen = [status for status, said in given.items() if said]
    if len(chosen) != 1:
        raise typer.BadParameter(
            "Say exactly one of --accept, --reject, --query, --conditions, --paid, --received, --in-process."
        )
    reasons = [*(reject or ()), *(query or ()), *(conditions or ())]

    async def use(house: House) -> str:
        name = tenant_of(house, tenant)

        def write(tx: Tx) -> str:
            found = the_document(tx, name, document)
            said = [Clarification.reason(*_coded(one)) for one in reasons]
            said += [Clarification.action(*_coded(one)) for one in action or ()]
            responding.respond(tx, house.access_points, name, found.id, chosen[0], said, notes=note or (), who=who)
            return f"{found.number} from {found.counterparty_name}"

        return await house.store.write(write)

    out.print(f"{with_house(use)}: {chosen[0]} is to be sent.", markup=False)


def _coded(said: str) -> tuple[str, str | None]:
    """A code, and the words after it."""
    code, _, text = said.partition(":")
    return code.strip().upper(), text.strip() or None


app.command("show")(remapping.show_document)
app.command()(remapping.remap)


def the_document(tx: Tx, tenant: str, said: str) -> documents.Document:
    """The document meant by an id, a number or a source id."""
    there = documents.peek(tx, tenant, said)
    if there is not None:
        return there
    found = documents.find(tx, tenant, number=said, limit=2) or documents.find(tx, tenant, source_id=said, limit=2)
    if len(found) == 1:
        return documents.get(tx, tenant, found[0].id)
    raise BadInput(
        f"{'No' if not found else 'More than one'} document is called {said}.",
        code="document-unclear",
        do="Use its id: connector documents find",
    )


def tell_all(told: dict[str, Any]) -> None:
    """Print what `explained` gives."""
    head = told["document"]
    amount = f"{head['payable']} {head['currency']}, open {head['open']}" if head["payable"] is not None else ""
    out.print(Rule(f"{head['kind']} {head['number'] or head['id']}", align="left"))
    out.print(f"{head['counterparty'] or ''}  {amount}  state: {head['state']}", markup=False)
    for link in told["links"]:
        more = ", ".join(f"{k} {v}" for k, v in link.items() if v and k != "connection")
        out.print(f"in {link['connection']}: {more}", markup=False)
    for headline, lines in tell(told["story"], told["names"]):
        out.print(f"\n{headline}", style="bold", markup=False)
        for line in lines:
            out.print(f"    {line}", markup=False)
    for name, lines in told["mapping"].items():
        out.print(Rule(f"mapping to {name}", align="left"))
        for line in lines:
            out.print(f"  {line['what']}    {line['line']}", markup=False)
    for item in told["attention"]:
        out.print(Rule("waits for a person", align="left"))
        out.print(f"{item['code']}: {item['said']}\n  {item['do']}", markup=False)
        for line in differing(item.get("details")):
            out.print(f"  {line}", markup=False)
        for verb in item["verbs"]:
            argument = " VENDOR_ID" if verb in ("happened", "link") else ""
            out.print(f"  connector documents resolve {head['id']} --{verb}{argument}", markup=False)
