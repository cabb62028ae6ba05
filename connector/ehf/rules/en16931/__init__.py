"""EN 16931 for UBL: the rules of the European standard, one module per family."""

from connector.ehf.rules.en16931 import model as model
from connector.ehf.rules.en16931.layer import layer

__all__ = ["layer"]
