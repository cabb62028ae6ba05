"""Peppol BIS Billing 3.0 and Self-Billing 3.0: the rules of OpenPeppol on top of EN 16931, with the national ones.

`layers` lists the rule ids; the modules beside it have the functions, one module per subject, `national` the countries'
own. Where seller and buyer live is worked out in `parties`.
"""

from connector.ehf.rules.peppol import codes as codes
from connector.ehf.rules.peppol import document as document
from connector.ehf.rules.peppol import identifiers as identifiers
from connector.ehf.rules.peppol import lines as lines
from connector.ehf.rules.peppol import money as money
from connector.ehf.rules.peppol import national as national
from connector.ehf.rules.peppol.layers import billing, self_billing

__all__ = ["billing", "self_billing"]
