"""What Visma Net refuses, as one table: status and text of an answer, and what that is in our words.

Visma Net has no catalogue of errors: no codes, no fields, only a text in the user's language, with an id for support in
front (`VismaId: …`). Patterns are therefore searched in the text, in English and Norwegian, and only where the status
does not say enough; a text that fits none of them is a refusal whose reason a person reads.

A business fault may come as 400 or as 500. After a 500, whatever its text, it is looked whether something was done; a
text that fits a row here is the reason when nothing was.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

PERIOD_DO = (
    "Open the period in Visma Net and retry (`connector documents resolve ID --retry`), or cancel this and date the"
    " document otherwise where it is made. It is never dated otherwise here."
)


class Refusal(NamedTuple):
    """One row. `text`: regular expression searched in the vendor's text, in whatever case."""

    text: str
    ours: str
    says: str
    do: str = "Read what Visma Net says about it, mend the document or its mapping, and try again."


TABLE: tuple[Refusal, ...] = (
    Refusal(r"period\b.*\b(closed|inactive|not (open|defined))|perioden? .*(lukket|stengt|ikke åpen)", "period-closed",
            "Visma Net's books are closed on this date.", PERIOD_DO),
    Refusal(r"(tax ?(id|category ?id|zone)?|vat ?(code|category|id)|mva-?(kode|kategori))\b.*"
            r"(cannot be found|finnes ikke|not found|is not valid)", "vat-code-unknown",
            "Visma Net does not take this VAT code here.",
            "The code must be both in the customer's VAT zone and in the VAT category of the account: see there, or"
            " mend the VAT table of the mapping."),
    Refusal(r"customer\b.*\b(inactive|status)|kunden? .*inaktiv", "customer-inactive",
            "Visma Net does not sell to this customer: it is inactive.",
            "Make the customer active in Visma Net and try again."),
    Refusal(r"item class\b.*\b(cannot be (found|empty)|inactive)|vareklasse.*(finnes ikke|tom)", "item-class-unknown",
            "Visma Net does not have this item class.", "Mend item_class in the connection's settings."),
    Refusal(r"\b(stock item|non-stock)\b|lagervare", "product-unfit",
            "An item that is named is kept on stock, and lines of invoices in Visma Net name items without stock.",
            "Invoice it by a sales order in Visma Net, or name an item without stock."),
    Refusal(r"(item|inventory)\b.*\b(inactive|status|cannot be found)|vare.*(inaktiv|finnes ikke)", "product-inactive",
            "An item that is named cannot be sold.", "See the item in Visma Net, or name another."),
    Refusal(r"(sub-?account|segment|project|branch|department)\b.*\b(cannot be found|inactive|not valid)"
            r"|(avdeling|prosjekt|segment).*(finnes ikke|inaktiv)", "dimension-refused",
            "A department, project, branch or segment that is named cannot be used.",
            "See it in Visma Net, or name another in the mapping."),
    Refusal(r"(payment method|cash account)\b.*\b(cannot be found|inactive|not valid)", "payment-type-unknown",
            "Visma Net does not have this payment method or cash account.",
            "Mend payment_method and cash_account in the connection's settings."),
    Refusal(r"\baccount\b.*\b(inactive|cannot be found)|konto.*(inaktiv|finnes ikke)", "account-inactive",
            "An account that is named cannot be booked on.",
            "Make the account active in Visma Net, or name another in the mapping."),
    Refusal(r"currency\b.*\b(cannot be found|rate)|valuta.*(finnes ikke|kurs)", "currency-unknown",
            "Visma Net does not take this currency, or has no rate for it.", "Add the currency or its rate there."),
    Refusal(r"(amount|paid)\b.*\bexceeds?\b|beløp.*overstiger", "exceeds-open-amount",
            "The payment gives an invoice more than is open on it.",
            "See what Visma Net has on the invoice; where the payment is there already, say so: --happened with its"
            " id."),
    Refusal(r"(number|reference)\b.*\balready (exists|used)|finnes allerede", "number-taken",
            "The number is taken in Visma Net.",
            "See what has the number in Visma Net; where it is this very document, say so: --happened with its id."),
    Refusal(r"manual number|manuell nummer", "own-number-refused",
            "Visma Net's number series takes no numbers of others.",
            "Allow manual numbering on import for the series of invoices (CS201010), or set own_numbers: false."),
    Refusal(r"already (been )?released|allerede frigitt", "released-already", "It is released already."),
    Refusal(r"already (been )?void|allerede annullert", "voided-already", "It is voided already."),
)  # fmt: skip
"""The first row that fits holds."""

_SUPPORT_ID = re.compile(r"VismaId:\s*([0-9a-fA-F-]{8,})\.?\s*")


def text_of(body: Any) -> tuple[str, str | None]:
    """What an error says, and the id that Visma's support knows it by."""
    if not isinstance(body, dict):
        return "", None
    for name in ("message", "Message", "ExceptionMessage", "errorInfo", "errorMessage"):
        if isinstance(said := body.get(name), str) and said:
            break
    else:
        return "", None
    found = _SUPPORT_ID.search(said)
    return _SUPPORT_ID.sub("", said).strip()[:2000], found[1] if found else None


def refusal(text: str) -> Refusal | None:
    """What a text means, where the table knows it."""
    return next((row for row in TABLE if re.search(row.text, text, re.IGNORECASE | re.DOTALL)), None)
