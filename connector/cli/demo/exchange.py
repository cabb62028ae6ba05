"""What the demo shows of Peppol: an invoice leaves, is followed and refused; another one comes, and is answered."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from connector import plugins
from connector.cli.demo.invoices import BILL, bill, invoice, payable
from connector.cli.demo.stage import POINT, Company, Failed, Sandbox, Stage, until
from connector.cli.demo.words import kroner, line
from connector.ehf import read
from connector.mapping.files import shipped
from connector.peppol import responses
from connector.peppol.responses import Clarification
from connector.ports import Kind
from connector.service.house import House


def access_point() -> str:
    """The access point that the demo sends through: the one of the company that is shipped to try with, which hands
    over what comes by calling us. Raises `Failed` where it is not installed.
    """
    file = shipped("mappings") / "tenants" / "demo.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))["access_points"]
    name = next(str(one["system"]) for one in said.values())
    if name not in plugins.access_points():
        raise Failed(f"The access point {name} is not installed.")
    return name


async def arrived(point: Sandbox, document: Mapping[str, Any], way: Mapping[str, Any]) -> None:
    """See that an invoice has arrived at its receiver, once, under its number. Raises `Failed`."""
    found = [one for one in await point.desk("transmissions") if one["instance"] == way["instance"]]
    if [(one["number"], one["arrived"]) for one in found] != [(document["number"], True)]:
        raise Failed(f"Invoice {document['number']} has not arrived once at its receiver.", details=found)


async def all_arrived(point: Sandbox, issued: int) -> str:
    """See that as many invoices have arrived as were issued, each once; says so. Raises `Failed`."""
    got = [one["number"] for one in await point.desk("transmissions") if one["root"] == "Invoice" and one["arrived"]]
    if len(got) != issued:
        raise Failed(f"{issued} invoices were issued to be sent, and {len(got)} have arrived.", details=got)
    return line("the receivers", f"{issued} invoices were issued to be sent by now, and {len(got)} have arrived")


async def leaves(house: House, point: Sandbox, company: Company) -> AsyncIterator[str]:
    """An invoice leaves while an answer is lost, is followed, and is refused by its buyer."""
    (ledger,) = company.ledgers.values()
    ours = house.access_points.named(company.tenant, POINT)
    assert ours is not None
    await point.desk("forward-to", {"url": ours.webhooks})  # as its operator sets it up
    await point.fault(calls="^POST ", kind="no-answer")
    posted = await company.post(invoice(3))
    posted.raise_for_status()
    document = await company.finished(posted.json()["id"])
    yield line("issued", f"by {ledger.title}: invoice {document['number']}, KID {document['kid']}")
    way = await company.sent(document["id"])
    ehf = (await company.api.get(f"/v1/documents/{document['id']}/sent")).content
    made = read(ehf)
    if (made.number, made.payment_means[0].payment_id) != (document["number"], document["kid"]):
        raise Failed("What was sent does not have the number and the KID of the ledger.")
    yield line("sent", f"as EHF with that number and KID to {way['receiver']}; the access point's answer was lost")
    await arrived(point, document, way)
    yield line("looked for", f"there under its id {way['instance'][:8]}…; at the receiver {document['number']} is once")
    await point.desk("become", {"number": document["number"], "state": "delivered"})
    await company.sent(document["id"], "delivered")
    yield line("followed", "accepted, sent, delivered: the receiver's access point says so")
    said = Clarification.reason("PRI", "Avtalt timepris er 950 kroner.")
    answer = responses.answer(
        read(ehf, direction="incoming"), "RE", id=str(uuid.uuid4()), at=datetime.now(UTC), clarifications=[said]
    )
    await point.desk("answer", responses.write(answer), number=document["number"])
    yield line("rejected", "the buyer answers by an invoice response: rejected, the price is wrong")
    noted = await company.told(document["id"], "invoice.noted", "the note on the rejected invoice")
    (item,) = [one for one in await company.get("/v1/attention") if one["document"] == document["id"]]
    yield line("for a person", f"{item['code']}: {item['said']}")
    yield line("in the ledger", f"a page lies on the invoice in {ledger.title}: «{noted['title']}»")
    yield line("the feed", ", ".join(await company.story(document["id"])))


async def comes(stage: Stage, point: Sandbox, company: Company) -> AsyncIterator[str]:
    """A supplier's invoice comes twice, goes into the ledger once, and is answered."""
    (ledger,) = company.ledgers.values()
    came = await point.desk("incoming", bill(), times=2)
    yield line("comes in", f"{BILL} from a supplier over {kroner(payable(bill()))}, delivered twice by the network")

    async def kept() -> bool:
        return all(one["handled"] for one in await point.desk("incoming") if one["number"] == BILL)

    await until(kept, f"the call of the access point with {BILL}")
    yield line("taken", f"{len(came)} calls of the access point with its secret: on disk before they are answered")

    async def here() -> list[dict[str, Any]]:
        found = await company.get("/v1/documents", kind=Kind.SUPPLIER_INVOICE.value)
        return list(found["documents"])

    async def there() -> bool:
        return bool(await here())

    await until(there, f"the document of {BILL}")
    (document,) = await here()
    if company.takes_bills:
        told = await company.told(document["id"], "supplier_invoice.delivered", f"{BILL} in {ledger.title}")
        yield line(
            "in the ledger", f"{ledger.title} has it once, for its bookkeeper to register: id {told['vendor_id']}"
        )
    else:
        yield line("kept", f"{ledger.title} takes none, as its settings say; its EHF and its page are here")
    words = ("documents", "respond", BILL, "--accept")
    await stage.command(*words, "--tenant", company.tenant)
    await company.sent(document["id"])
    answers = [one for one in await point.desk("transmissions") if one["root"] == "ApplicationResponse"]
    if len(answers) != 1 or not answers[0]["arrived"]:
        raise Failed(f"The supplier has got {len(answers)} answers.")
    yield line("answered", f"`connector {' '.join(words)}`: the supplier has got one answer, accepted")
    yield line("the feed", ", ".join(await company.story(document["id"])))
    if len(await here()) != 1:
        raise Failed(f"{BILL} is here more than once.")
