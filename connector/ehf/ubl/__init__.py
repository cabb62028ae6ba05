"""UBL and the model: each file has the reader and the writer of one noun side by side.

Readers take what the model has a field for; what is left over is found by writing the result again and comparing
(`remainder`), and is kept in the model. So nothing is lost whatever a document holds, and readers stay plain.
"""

from connector.ehf.ubl.document import read, write

__all__ = ["read", "write"]
