"""Every kind of mistake, planted into what is shipped: each is found, with its code, on its line.

The table is by kind of mistake. A tuple is what is replaced in the file, by what, the code, and where the problem
stands: 0 is the line where the replacement begins, 1 the next, and so on; a text is a line of the file that has it.
"""

# ruff: noqa: E501 - a mistake is read more easily on one line
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from connector import plugins
from connector.mapping import files
from connector.mapping.check import check
from connector.mapping.problems import as_lines

SHIPPED = (files.shipped("mappings") / "systems" / "tripletex.yaml").read_text(encoding="utf-8")
At = int | str

MISTAKES: dict[str, list[tuple[str, str, str, At]]] = {
    "a path of ours that is not there": [
        ("      due_date: invoice.invoiceDueDate\n", "      duedate: invoice.invoiceDueDate\n", "path-unknown", 0),
        ("      party.name: name\n", "      party.nme: name\n", "path-unknown", 0),
        ("            quantity: count\n", "            qantity: count\n", "path-unknown", 0),
        ("otherwise: {ours: order_reference}", "otherwise: {ours: order_referense}", "path-unknown", 0),
        ("    amendable: [due_date]", "    amendable: [due_dat]", "path-unknown", 0),
        ("      source_id: The link holds the id.\n", "      sorce_id: The link holds the id.\n", "path-unknown", 0),
        ("when: {ours: {payee: {present: true}}}", "when: {ours: {payer: {present: true}}}", "path-unknown",
         0),
        ("            - lines: {any: {vat_category: S}}\n", "            - lnies: {any: {vat_category: S}}\n", "path-unknown", 0),
        ("          theirs: {organizationNumber: {present: true}}\n",
         "          theirs: {organisationNumber: {present: true}}\n", "path-unknown", 0),
        ("        by: [source_id, party.name]\n", "        by: [source_id, paryt.name]\n", "path-unknown", 0),
        ('      issue_date: "2027-01-15"\n      due_date', '      issue_dat: "2027-01-15"\n      due_date', "path-unknown", 0),
        ("        customer: {id: 77}\n", "        custommer: {id: 77}\n", "path-unknown", 0),
        ("by: party.legal_id.value, certainty", "by: party.legal_id.vlaue, certainty", "path-unknown", 0),
    ],
    "a path of theirs that is not there": [
        ("      party.name: name\n", "      party.name: nam\n", "path-unknown", 0),
        ("invoice.invoiceDueDate\n", "invoice.invoiceDueDay\n", "path-unknown", 0),
        ("            quantity: count\n", "            quantity: counts\n", "path-unknown", 0),
        ("theirs: {isRefund: true}}}\n", "theirs: {isRefunded: true}}}\n", "path-unknown", 0),
        ("theirs: order.customer.id, link", "theirs: order.costumer.id, link", "path-unknown", 0),
    ],
    "a path into a list": [
        ("      party.name: name\n", "      party.identifiers.value: name\n", "path-into-list", 0),
        ("      notes[only]: {theirs: order.inv", "      notes: {theirs: order.orderLines.id, x: order.inv",
         "key-unknown", 0),
        ("      buyer_reference:\n        theirs: order.reference", "      buyer_reference:\n        theirs: order.orderLines.description",
         "path-into-list", 1),
    ],
    "a path that is written wrong": [
        ("      party.name: name\n", "      party..name: name\n", "path-malformed", 0),
        ('"payment_means[first].payment_id"', '"payment_means[frist].payment_id"', "path-malformed", 0),
        ('"allocations[only].document"\n        theirs: invoice.id', '"allocations[1].document"\n        theirs: invoice.id',
         "path-malformed", 0),
    ],
    "a type that does not fit": [
        ("number: {theirs: customerNumber, digits: true,", "number: {theirs: customerNumber,", "type-mismatch", 0),
        ("            quantity: count\n", "            quantity: description\n", "type-mismatch", 0),
        ("      issue_date: invoice.invoiceDate\n", "      issue_date: {theirs: invoice.invoiceDate, minor_units: 2}\n",
         "type-mismatch", 0),
        ("      active: {theirs: isInactive, table: is-inactive}\n", "      active: name\n", "type-mismatch", 0),
        ('constant: "0192", only: in', "constant: {a: b}, only: in", "value-not-plain", 0),
        ("isPrioritizeAmountsIncludingVat, constant: false", "isPrioritizeAmountsIncludingVat, constant: nei",
         "value-type", 0),
        ("direction: {constant: outgoing, only: in}", "direction: {constant: outgong, only: in}", "value-unknown", 0),
        ("theirs: amount: {below: 0}", "theirs: amount: {below: 0}", "", 0),
        ("      buyer: {theirs: order.customer.id, link: customer}\n", "      buyer: order.customer.id\n",
         "type-mismatch", 0),
        ("link: customer}\n      buyer_reference", "link: costumer}\n      buyer_reference", "link-unknown", 0),
        ("      lines:\n        theirs: order.orderLines\n", "      lines:\n        theirs: order.reference\n",
         "each-without-list", 1),
        ("      party.address.city: postalAddress.city\n", "      party.address.city: postalAddress\n", "type-mismatch", 0),
    ],
    "a required field of the vendor that nobody fills": [
        ("      party.name: name\n", "", "required-unfilled", "  customer:\n"),
        ("      issue_date: invoice.invoiceDate\n", "      issue_date: {theirs: invoice.invoiceDate, only: in}\n",
         "required-unfilled", 0),
        ("      name: name\n      description: description\n", "      description: description\n", "required-unfilled",
         "  product:\n"),
    ],
    "a table that cannot be read backwards, or says a code twice": [
        ('      "31": "31"    # output, middle', '      "31": "3"    # output, middle', "table-not-invertible", 0),
        ('      "31": "31"    # output, middle', '      "3": "31"    # output, middle', "duplicate-key", 0),
        ('{"true": false, "false": true}', '{"true": false, "false": false}', "table-not-invertible", 0),
        ('"380": false, "381": true', '"380": false, "380": true', "duplicate-key", 0),
        ('- {ours: rounding, theirs: "7740"}', '- {ours: rounding, theirs: "7830"}', "table-two-values", 0),
        ('- {ours: set_off, theirs: "2400"}', '- {ours: [set_off, x], theirs: "2400"}', "table-row-shape", 0),
        ('- {ours: set_off, theirs: "2400"}', '- {ours: setoff, theirs: "2400"}', "value-unknown", 0),
        ("table: income-account\n", "table: income-acount\n", "table-unknown", 0),
        ('      "3": 3000 ', '      "3": tretusen ', "value-type", 0),
        ("  vat-code:\n", "  vat-code:\n    only: out\n", "table-one-way", "              table: vat-code\n"),
        ("  is-credit-note:\n", "  spare: {rows: {a: b}}\n  is-credit-note:\n", "table-unused", 0),
    ],
    "something of ours that gets lost": [
        ("      due_date: invoice.invoiceDueDate\n", "", "loss-undeclared", "  invoice:\n"),
        ("      tax_point_code: Tripletex takes the VAT by the invoice's date.\n", "", "loss-undeclared", "  invoice:\n"),
        ("            note: No field on an order line.\n", "", "loss-undeclared", "      lines:\n"),
        ("        when: {ours: {payee: {present: true}}}\n        says: Another payee than the seller",
         "        when: {ours: {payee: {present: false}}}\n        says: Another payee than the seller", "loss-undeclared",
         "  invoice:\n"),
        ("      delivery: Of the delivery the order carries the day.\n", "", "loss-undeclared", "  invoice:\n"),
        ("      payment_means: Account and KID are the ledger's own.\n", "", "loss-undeclared", "  invoice:\n"),
        ("      invoice_email: invoiceEmail\n",
         "      invoice_email: {theirs: invoiceEmail, when: {ours: {currency: NOK}, theirs: {email: {present: true}}}}\n",
         "loss-undeclared", 0),
    ],
    "a line that cannot go both ways": [
        ("      number: {theirs: customerNumber, digits: true, only: in,", "      number: {theirs: customerNumber, digits: true,",
         "writes-read-only", 0),
        ("      text: {theirs: posting.description, only: in}\n\n", "      text: posting.description\n\n", "writes-read-only", 0),
        ("when: {ours: {payment_days: {present: true}}, theirs: {invoicesDueInType: DAYS}}",
         "when: {ours: {payment_days: {present: true}}}", "condition-one-sided", 0),
        ('              join: "\\n"\n', '              join: ""\n', "join-empty", 0),
        ("      invoice_email: invoiceEmail\n", "      invoice_email: invoiceEmail\n      party.contact.name: email\n",
         "written-twice", 1),
    ],
    "a key, word or value of the language that is none": [
        ("      due_date: invoice.invoiceDueDate\n", "      due_date: {their: invoice.invoiceDueDate}\n", "key-unknown", 0),
        ("only: in, note: Tripletex gives it}", "only: inn, note: Tripletex gives it}", "value-unknown", 0),
        ("    owner: theirs\n    amendable", "    owner: them\n    amendable", "value-unknown", 0),
        ("    creates: never\n", "    creates: nevr\n", "value-unknown", 0),
        ("  customer:\n    fields:\n", "  costumer:\n    fields:\n", "kind-unknown", 0),
        ("  customer:\n    fields:\n", "  customer:\n    feilds:\n", "key-unknown", 1),
        ("certainty: certain}\n", "certainty: sure}\n", "value-unknown", 0),
        ("layer: system\n", "layer: systm\n", "value-unknown", 0),
        ("system: tripletex\n", "system: tripletx\n", "system-not-installed", 0),
        ("uses: saf-t-vat ", "uses: saft-vat ", "shared-unknown", 0),
        ("      party.name: name\n", "      party.name: {theirs: name, digits: true, table: vat-code}\n", "lens-several", 0),
        ("      party.name: name\n", "      party.name: {theirs: name, lens: reversed}\n", "lens-unknown", 0),
        ("        says: An incoming invoice is no order in Tripletex.\n", "", "key-missing", "      not-a-sale:\n"),
        ("      due_date: invoice.invoiceDueDate\n", "      due_date: {note: to do}\n", "theirs-missing", 0),
    ],
    "a thing named twice": [
        ("uses: saf-t-vat ", "uses: [saf-t-vat, saf-t-vat] ", "named-twice", 0),
        ("    amendable: [due_date]", "    amendable: [due_date, due_date]", "named-twice", 0),
        ("        by: [source_id, party.name]\n", "        by: [source_id, source_id]\n", "named-twice", 0),
    ],
    "a code that there is not in the world": [
        ("kroner: {ours: currency, constant: NOK,", "kroner: {ours: currency, constant: NOKK,", "value-unfit", 0),
        ("only: out, when: {ours: {currency: {differs: NOK}}}}", "only: out, when: {ours: {currency: {differs: KR}}}}",
         "value-unfit", 0),
    ],
    "an example that does not hold": [
        ("        - {id: \"1\", name: Rådgivning, quantity: 8,", "        - {id: \"1\", name: Rådgivning, quantity: 9,",
         "example-differs", "    theirs:\n      invoice: {invoiceDate: \"2027-01-15\", invoiceDueDate"),
        ("    stops: code-not-in-table\n", "    stops: not-expressible\n", "example-stopped",
         0),
        ("  - name: A customer in Oslo\n    kind: customer\n", "  - name: A customer in Oslo\n    kind: custmer\n",
         "kind-unknown", 1),
    ],
    "YAML that is none, or does something unseen": [
        ("  customer:\n    fields:\n", "  customer:\n\tfields:\n", "tab", 1),
        ("      party.name: name\n", "      party.name: name: x\n", "not-yaml", 0),
        ("      party.name: name\n", "      party.name: &n name\n", "anchor", 0),
        ("      party.name: name\n", "      <<: {party.name: name}\n", "merge", 0),
        ("      party.name: name\n", "      party.name: name\n      party.name: email\n", "duplicate-key", 1),
        ('"0192", null]', "0192, null]", "number-ambiguous", 0),
        ("      party.name: name\n", "      party.name: !!str name\n", "tag", 0),
    ],
}  # fmt: skip
MISTAKES["a type that does not fit"] = [one for one in MISTAKES["a type that does not fit"] if one[2]]
CASES = [(kind, *case) for kind, cases in MISTAKES.items() for case in cases]


@pytest.mark.parametrize(("kind", "old", "new", "code", "at"), CASES, ids=[f"{n}-{c[3]}" for n, c in enumerate(CASES)])
def test_a_mistake_in_what_is_shipped_is_found_on_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, old: str, new: str, code: str, at: At
) -> None:
    assert old in SHIPPED
    monkeypatch.chdir(tmp_path)
    text = SHIPPED.replace(old, new, 1)
    path = tmp_path / "tripletex.yaml"
    path.write_text(text)
    report = check([path], plugins=plugins.accounting())
    found = [problem for problem in report.problems if problem.code == code]
    assert found, [str(problem)[:200] for problem in report.problems]
    place = SHIPPED.index(old)
    first = SHIPPED[:place].count("\n") + 1
    lines = [
        number
        for number, row in enumerate(text.splitlines(), 1)
        if isinstance(at, str) and row.startswith(at.split("\n")[0])
    ]
    wanted = {first + at} if isinstance(at, int) else set(lines)
    assert wanted & {problem.line for problem in found}, (wanted, [str(problem)[:200] for problem in found])
    assert report.fine is all(problem.severity == "warning" for problem in report.problems)


def test_nothing_is_wrong_with_what_is_shipped() -> None:
    report: Any = check(plugins=plugins.accounting())
    assert [str(problem) for problem in report.problems] == []


LOSING = """\
layer: system
system: tripletex
title: T
kinds:
  payment:
    fields:
      date: paymentDate
      amount: amount
      "allocations[only].document": {theirs: invoice.id, link: invoice}
"""


def _check(tmp_path: Path, text: str) -> list[Any]:
    path = tmp_path / "tripletex.yaml"
    path.write_text(text, encoding="utf-8")
    return list(check([path], plugins=plugins.accounting()).problems)


def test_what_is_advised_for_a_loss_may_be_written(tmp_path: Path) -> None:
    """Also below a list: each advice taken word for word leaves nothing that is not declared."""
    found = _check(tmp_path, LOSING)
    fields = [one.said.split("`")[1] for one in found if one.code == "loss-undeclared"]
    assert "allocations.amount" in fields
    assert all(f"loses: {{{field}: why}}" in one.do for field, one in zip(fields, found, strict=True))
    assert _check(tmp_path, LOSING + "    loses:\n" + "".join(f"      {field}: why\n" for field in fields)) == []


def test_what_is_lost_for_one_reason_is_said_once_with_all_fields(tmp_path: Path) -> None:
    """As a line for people; for programs each field is a problem of its own. What is advised may be written as it is."""
    found = _check(tmp_path, LOSING)
    assert len(found) > 10
    [line] = as_lines(found)
    assert line.count("not carried to tripletex") == 1
    declared = re.search(r"`loses: \{(.*)\}`", line)
    assert declared is not None
    assert all(f"`{one.field}`" in line for one in found)
    assert _check(tmp_path, LOSING + f"    loses: {{{declared[1]}}}\n") == []


def test_lines_that_lose_for_reasons_of_their_own_are_said_each(tmp_path: Path) -> None:
    found = _check(tmp_path, LOSING + "  customer:\n    fields: {party.name: name}\n")
    assert [line.split(": error ")[0].rpartition(":")[2] for line in as_lines(found)] == ["5", "10"]


def test_a_loss_below_a_list_that_is_not_there(tmp_path: Path) -> None:
    found = _check(tmp_path, LOSING + "    loses:\n      allocations.amuont: why\n")
    assert [(one.code, one.line) for one in found if one.code == "path-unknown"] == [("path-unknown", 11)]


def test_a_field_that_lies_deeper_is_named(tmp_path: Path) -> None:
    found = _check(tmp_path, LOSING + "  invoice: {fields: {issue_date: invoiceDate}}\n")
    (one,) = [one for one in found if one.code == "path-unknown"]
    assert "Did you mean `invoice.invoiceDate`?" in one.do


def test_a_row_of_an_upper_layer_is_blamed_not_the_one_below(tmp_path: Path) -> None:
    """A tenant's row that collides with a shipped one: the tenant's line, and the other one by its file."""
    tenant = (files.shipped("mappings") / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    change = '\n    mapping:\n      tables:\n        vat-code:\n          rows: {"3": "31"}\n\naccess_points:'
    path = tmp_path / "demo.yaml"
    path.write_text(text := tenant.replace("\n\naccess_points:", change, 1), encoding="utf-8")
    [found] = check([path], plugins=plugins.accounting()).problems
    line = next(number for number, row in enumerate(text.splitlines(), 1) if '"3": "31"' in row)
    assert (found.code, found.file.endswith("demo.yaml"), found.line) == ("table-not-invertible", True, line)
    assert "tripletex.yaml:" in found.said


def test_a_field_that_its_own_line_does_not_carry_is_told_at_that_line(tmp_path: Path) -> None:
    text = LOSING.replace("      amount: amount\n", "      amount: {theirs: amount, constant: 5}\n")
    found = [one for one in _check(tmp_path, text) if one.said.startswith("`amount`")]
    assert [(one.code, one.line) for one in found] == [("loss-undeclared", 8)]
