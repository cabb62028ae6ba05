"""The native rule engine: every rule of EN 16931 and Peppol BIS Billing, with the official ids and verdicts.

How a document is judged. The document element with its leaf children is one *block* (the header), each other child of
the document element another (a party, a tax total, a line …). A block has a *shape*: its tags and how they nest.
Rules are bound to a shape once (`Plan`, remembered by the rule set), and what a shape alone decides (something is
missing, unknown or there twice) is decided then. What depends on values is left behind as small closures, which are
all that runs when the next block of that shape comes. So most of the 1,100 rules cost nothing per document. In the
same way a document as a whole has an *outline*, the shapes of its blocks but for lines, and what that alone decides
(no tax total, two deliveries) is decided once per outline (`Outline`).

How a rule is written. A layer (`en16931`, `peppol`, `self-billing`) is a `Layer`. It lists its rule ids with severity
and, where they came or went, the releases; and it has functions, named by what they look at:

    peppol = Layer("peppol")
    peppol.fatal("PEPPOL-EN16931-R010", "PEPPOL-EN16931-P0112")
    peppol.warning("NO-R-002")
    peppol.fatal("DK-R-005", since="3.0.21"); peppol.warning("DK-R-005", until="3.0.20")

    @peppol.on("cac:AccountingCustomerParty/cac:Party")         # any depth; leading "/": from the document element
    def buyer(node: Node, plan: Plan) -> None:                  # runs once per shape
        if not node.has("cbc:EndpointID"):
            plan.fires("PEPPOL-EN16931-R010", node)             # decided by the shape alone

    @peppol.on("cbc:InvoiceTypeCode")
    def type_code(node: Node, plan: Plan) -> None:
        i = node.i                                              # where this node's text will stand in `v`
        def check(v: Values, doc: Document) -> None:            # runs once per block
            if strip(v[i]) in ("326", "384") and not doc.is_german:
                doc.fire("PEPPOL-EN16931-P0112", i, value=v[i])
        plan.check(check)

    @peppol.outline                                             # runs once per outline: which blocks a document has
    def references(outline: Outline) -> None:
        if not outline.has("cbc:BuyerReference") and not outline.has("cac:OrderReference/cbc:ID"):
            outline.fires("PEPPOL-EN16931-R003")                # decided by the outline alone
        if outline.count("cbc:Note") > 1:
            outline.check(notes)                                # runs once per document, after all blocks

    def notes(doc: Document) -> None:
        for text, place in doc.each("cbc:Note"): ...

    @peppol.document                                            # the same for every document, whatever its outline
    def type_codes(doc: Document) -> None: ...

`node.all("cac:A/cbc:B")` gives descendants by child steps, `node.first(…)` the first or None, `node.has(…)` whether
there is one, `node.attr("schemeID")` the place in `v` of an attribute (its value, or None). `v[i]` is the text of an
element as it stands (None when empty), `doc.decimal(v[i])` is `xs:decimal`. `doc.facts` is a dict of what rules hand
on from block to block; the header comes first, the others in document order. Firing a rule that is not in the set at
hand (another release) does nothing, so rules need not ask for the release; where the test itself changed,
`plan.since("3.0.20")`, `doc.since(…)` and `plan.codes("eas")` say what holds. A check that raises `BreaksOff` (a cast
that the official evaluation would fail on) makes the layer's verdict "rule-not-evaluable", and the others run on.

`plan` has short forms for what most rules ask: `required`, `exists`, `at_most_one`; and checks that run only when there
is reason to: `unless` (a code is not in its list), `unless_attributes` (asked once for all blocks whose tags are
written alike), `when_blank`, `check_amounts` (more than two decimals).
There are also `layer.shape` (once per shape, over `plan.nodes`), `layer.start` (lays out a document's facts) and
`layer.attribute` (attributes that hardly any invoice has).
"""
