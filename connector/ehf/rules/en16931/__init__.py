"""EN 16931 for UBL: the rules of the European standard, one module per family."""

from connector.ehf.rules.en16931 import codes as codes
from connector.ehf.rules.en16931 import lines as lines
from connector.ehf.rules.en16931 import syntax as syntax
from connector.ehf.rules.en16931 import terms as terms
from connector.ehf.rules.en16931 import totals as totals
from connector.ehf.rules.en16931 import unused as unused
from connector.ehf.rules.en16931 import vat as vat
from connector.ehf.rules.en16931.layer import layer

__all__ = ["layer"]
