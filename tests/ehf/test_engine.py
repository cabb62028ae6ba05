"""The engine itself: shapes, plans, contexts, layers; and that a rule set is a catalogue one can read."""

from __future__ import annotations

import pytest

from benchmarks.invoices import invoice
from connector.ehf import flat
from connector.ehf.rules import catalogue, codelists, releases
from connector.ehf.rules.engine import (
    Document,
    Layer,
    Node,
    Outline,
    Plan,
    RuleSet,
    Values,
    too_fine,
)
from connector.ehf.rules.judging import judge, judge_flat
from connector.ehf.rules.xpath import BreaksOff, sign
from connector.ehf.xml import CAC, CBC, INVOICE, parse

SETS = [(release.version, self_billing) for release in releases.RELEASES for self_billing in (False, True)]


def document(body: str) -> bytes:
    return f'<Invoice xmlns="{INVOICE}" xmlns:cac="{CAC}" xmlns:cbc="{CBC}">{body}</Invoice>'.encode()


def judged(layer: Layer, body: str, release: str = "3.0.21", *, typed: bool = True) -> Document:
    return judge(parse(document(body)), RuleSet(release, [layer]), "Invoice", typed=typed)


def test_a_context_fits_at_any_depth_unless_anchored() -> None:
    layer = Layer("peppol")
    layer.fatal("ANY", "TOP")

    @layer.on("cac:Party/cbc:ID")
    def anywhere(node: Node, plan: Plan) -> None:
        plan.fires("ANY", node)

    @layer.on("/cac:Party/cbc:ID")
    def anchored(node: Node, plan: Plan) -> None:
        plan.fires("TOP", node)

    body = "<cac:Party><cbc:ID/></cac:Party><cac:X><cac:Party><cbc:ID/></cac:Party></cac:X><cac:Y><cbc:ID/></cac:Y>"
    assert judged(layer, body).fired == {"ANY": 2, "TOP": 1}


def test_a_rule_of_another_release_does_not_fire() -> None:
    layer = Layer("peppol")
    layer.fatal("OLD", until="3.0.19")
    layer.warning("NEW", since="3.0.21")
    layer.warning("TURNED", until="3.0.20")
    layer.fatal("TURNED", since="3.0.21")

    @layer.document
    def all_of_them(doc: Document) -> None:
        for rule in ("OLD", "NEW", "TURNED"):
            doc.fire(rule, doc.root)

    assert set(judged(layer, "", "3.0.19").fired) == {"OLD", "TURNED"}
    assert set(judged(layer, "", "3.0.20").fired) == {"TURNED"}
    assert set(judged(layer, "").fired) == {"NEW", "TURNED"}
    assert RuleSet("3.0.20", [layer]).entries["TURNED"][0] == "warning"
    assert RuleSet("3.0.21", [layer]).entries["TURNED"][0] == "fatal"


def test_rules_are_bound_once_per_shape_and_run_once_per_block() -> None:
    layer = Layer("peppol")
    bound, seen = [], []

    @layer.on("cac:InvoiceLine")
    def line(node: Node, plan: Plan) -> None:
        bound.append(node.path)
        text = node.places("cbc:ID")[0]
        plan.check(lambda v, doc: seen.append(v[text]))

    lines = "".join(f"<cac:InvoiceLine><cbc:ID>{n}</cbc:ID></cac:InvoiceLine>" for n in range(5))
    other = "<cac:InvoiceLine><cbc:Note/><cbc:ID>other</cbc:ID></cac:InvoiceLine>"
    judged(layer, lines + other)
    assert bound == ["cac:InvoiceLine"] * 2
    assert seen == ["0", "1", "2", "3", "4", "other"]


def test_the_same_tags_nested_otherwise_are_another_shape() -> None:
    layer = Layer("peppol")
    paths: list[str] = []

    @layer.shape
    def every(plan: Plan) -> None:
        paths.extend(node.path for node in plan.nodes if node.tag == "cac:C")

    judged(layer, "<cac:A><cac:B><cac:C/></cac:B></cac:A><cac:A><cac:B/><cac:C/></cac:A>")
    assert paths == ["cac:A/cac:B/cac:C", "cac:A/cac:C"]


def test_attributes_have_places_and_rare_ones_are_found() -> None:
    layer = Layer("peppol")
    schemes, rare = [], []

    @layer.on("cbc:EndpointID")
    def endpoint(node: Node, plan: Plan) -> None:
        place = node.attr("schemeID")
        plan.check(lambda v, doc: schemes.append(v[place]))

    @layer.attribute
    def attribute(doc: Document, element: object, name: str) -> None:
        rare.append(name)

    body = (
        '<cac:Party><cbc:EndpointID schemeID="0192">1</cbc:EndpointID><cbc:EndpointID>2</cbc:EndpointID>%s</cac:Party>'
    )
    judged(layer, body % "")
    assert (schemes, rare) == (["0192", None], [])
    judged(layer, body % '<cbc:Name languageID="no">x</cbc:Name>')
    assert rare == ["languageID"]


def test_checks_that_wait_for_a_reason() -> None:
    layer = Layer("peppol")
    ran: list[str] = []

    @layer.on("cac:Price")
    def price(node: Node, plan: Plan) -> None:
        code = node.places("cbc:Code")[0]
        plan.unless(code, frozenset({"good"}), lambda v, doc: ran.append("code"))
        plan.when_blank(lambda v, doc: ran.append("blank"))
        plan.check_amounts(lambda v, doc: ran.append("decimals"))

    body = "<cac:Price><cbc:Code>%s</cbc:Code><cbc:BaseAmount>%s</cbc:BaseAmount></cac:Price>"
    judged(layer, body % ("good", "1.00"))
    assert ran == []
    judged(layer, body % ("bad", "1.000"))
    assert ran == ["code", "decimals"]
    ran.clear()
    judged(layer, body % ("good", " \n"))
    assert ran == ["blank"]


def test_what_the_blocks_alone_decide_is_decided_once_per_outline() -> None:
    layer = Layer("peppol")
    layer.fatal("NONE", "TWO", "EQUAL")
    bound: list[int] = []

    @layer.outline
    def groups(outline: Outline) -> None:
        bound.append(len(outline.plans))
        if not outline.has("cac:A/cbc:B"):
            outline.fires("NONE")
        found = outline.all("cac:A/cbc:B")
        if len(found) > 1:
            outline.fires_once("TWO", found[1])
            outline.check(
                lambda doc: doc.fire("EQUAL", doc.at(found[1])) if len(set(map(doc.text, found))) == 1 else None
            )

    rules = RuleSet("3.0.21", [layer])

    def fired(body: str) -> dict[str, int]:
        return judge(parse(document(body)), rules, "Invoice", typed=True).fired

    one, line = "<cac:A><cbc:B>%s</cbc:B></cac:A>", "<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>"
    assert fired("") == {"NONE": 1}
    assert fired(one % 1) == {}
    assert fired(one % 1 + one % 2) == {"TWO": 1}
    assert fired(one % 3 + one % 3) == {"TWO": 1, "EQUAL": 1}
    assert fired(one % 3 + one % 3 + line) == fired(one % 3 + one % 3 + line * 3)
    assert bound == [1, 2, 3, 3]  # with lines it is another outline, with more lines the same


def test_a_check_of_an_outline_that_breaks_off_does_not_stop_the_others() -> None:
    one, two = Layer("en16931"), Layer("peppol")
    two.fatal("RULE")
    one.outline(lambda outline: outline.breaks_off("several"))
    two.outline(lambda outline: outline.check(lambda doc: doc.fire("RULE", doc.top)))
    doc = judge(parse(document("")), RuleSet("3.0.21", [one, two]), "Invoice", typed=True)
    assert doc.fired == {"RULE": 1}
    assert {layer: reason for layer, (_, reason) in doc.broke_off.items()} == {"en16931": "several"}


def test_attributes_are_asked_once_for_blocks_written_alike() -> None:
    layer = Layer("peppol")
    asked, ran = [], []

    @layer.on("cac:InvoiceLine/cbc:LineExtensionAmount")
    def amount(node: Node, plan: Plan) -> None:
        place = node.attr("currencyID")

        def fine(v: Values) -> bool:
            asked.append(v[place])
            return v[place] == "NOK"

        plan.unless_attributes(fine, lambda v, doc: ran.append(v[node.i]))

    data = flat.read(invoice(3, full=False))
    assert data is not None
    rules = RuleSet("3.0.21", [layer])
    for _ in range(2):
        assert judge_flat(data, lambda: parse(invoice(3)), rules) is not None
    assert ran == []
    assert set(asked) == {"NOK"}
    assert len(asked) < 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0), ("-0", 0), ("-00", 0), (" -0 ", 0), ("+0", 0), ("0.00", 0), ("+0.0", 0), ("0e0", 0), ("1e-400", 0),
        ("-0.0", -1), ("-.0", -1), ("-0.", -1), ("-0e0", -1), ("-1e-400", -1), ("-0.001", -1), ("-INF", -1), ("-5", -1),
        ("5", 1), ("0.001", 1), ("+.5", 1), ("1e2", 1), ("INF", 1), ("NaN", 1), ("9" * 5000, 1), ("-" + "9" * 5000, -1),
    ],
)  # fmt: skip
def test_a_text_beside_zero_as_saxon_orders_them(text: str, expected: int) -> None:
    assert sign(text) == expected


def test_what_is_no_number_does_not_compare() -> None:
    for text in ("", "x", "1,5", "1e", "٣", "-NaN"):
        with pytest.raises(BreaksOff):
            sign(text)


def test_a_no_break_space_is_text_to_xpath() -> None:
    layer = Layer("peppol")
    layer.fatal("RULE")

    @layer.on("cac:Country")
    def country(node: Node, plan: Plan) -> None:
        plan.required("RULE", node, "cbc:Name")

    body = "<cac:Country><cbc:Name>%s</cbc:Name></cac:Country>"
    assert judged(layer, body % " \t\n").fired == {"RULE": 1}
    assert judged(layer, body % "&#160;").fired == {}
    assert judged(layer, "<cac:Country><cbc:Code/></cac:Country>").fired == {"RULE": 1}


def test_a_check_that_breaks_off_does_not_stop_the_others() -> None:
    one, two = Layer("en16931"), Layer("peppol")
    two.fatal("RULE")

    @one.on("cbc:ID")
    def breaks(node: Node, plan: Plan) -> None:
        def check(v: Values, doc: Document) -> None:
            raise BreaksOff("no number")

        plan.check(check)

    @two.on("cbc:ID")
    def fires(node: Node, plan: Plan) -> None:
        plan.check(lambda v, doc: doc.fire("RULE", node.i))

    doc = judge(parse(document("<cbc:ID>x</cbc:ID>")), RuleSet("3.0.21", [one, two]), "Invoice", typed=False)
    assert doc.fired == {"RULE": 1}
    assert set(doc.broke_off) == {"en16931"}
    assert doc.broke_off["en16931"][1] == "no number"


def test_numbers_are_cast_as_xpath_does_when_the_xsd_has_not_passed() -> None:
    doc = judged(Layer("peppol"), "", typed=False)
    assert doc.decimal(" 1.50 ") == doc.decimal("+1.5")
    for text in ("1e5", "NaN", "1,5", "", None, "1_000", "٣"):
        with pytest.raises(BreaksOff):
            doc.decimal(text)


@pytest.mark.parametrize(
    ("text", "fine"), [("1", False), ("1.00", False), ("1.000", True), ("1.0 ", False), ("1.00 ", True)]
)
def test_decimals_are_counted_in_the_text(text: str, fine: bool) -> None:
    assert too_fine(text) is fine


def test_remembered_plans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.ehf.rules.engine._REMEMBERED_NODES", 50)
    layer = Layer("peppol")
    rules = RuleSet("3.0.21", [layer])
    for n in range(1, 45):
        judge(parse(document("<cac:A>" + "<cbc:B/>" * n + "</cac:A>")), rules, "Invoice", typed=True)
        assert sum(plan.size for plan in rules.plans["Invoice"].values()) <= 50


@pytest.mark.parametrize(("version", "self_billing"), SETS)
def test_every_rule_is_in_the_catalogue_once(version: str, self_billing: bool) -> None:
    rules = catalogue.rule_set(version, self_billing=self_billing)
    per_layer = {layer.name: list(layer.catalogue) for layer in rules.layers}
    assert list(per_layer) == ["en16931", "self-billing" if self_billing else "peppol"]
    entered = [
        entry.rule
        for entries in per_layer.values()
        for entry in entries
        if (entry.since is None or rules.since(entry.since))
        and (entry.until is None or releases.rank(version) <= releases.rank(entry.until))
    ]
    assert sorted(entered) == sorted(rules.entries)


def test_en16931_has_as_many_rules_as_the_official_file() -> None:
    entries = catalogue.rule_set("3.0.21").entries.values()
    counted = {severity: sum(each == (severity, "en16931") for each in entries) for severity in ("fatal", "warning")}
    assert counted == {"fatal": 281, "warning": 698}


def test_code_lists_say_where_they_are_from_and_follow_the_release() -> None:
    for name, entry in codelists.lists().items():
        assert entry["source"], name
        codes = entry["codes"].split()
        assert len(codes) == len(set(codes)), name
        assert codelists.code_list(name, "3.0.19") == set(codes)
    assert "BGN" in codelists.code_list("currency", "3.0.20")
    assert "BGN" not in codelists.code_list("currency", "3.0.21")
    assert "XCG" in codelists.code_list("currency", "3.0.21")
    with pytest.raises(KeyError):
        codelists.code_list("no such list", "3.0.21")


def test_a_thousand_lines_make_few_plans() -> None:
    rules = RuleSet("3.0.21", catalogue.rule_set("3.0.21").layers)
    judge(parse(invoice(1000, full=False)), rules, "Invoice", typed=True)
    assert len(rules.plans["Invoice"]) < 20
