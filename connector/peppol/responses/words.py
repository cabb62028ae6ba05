"""What a response means and what to do about it, in Norwegian (bokmål) and English, for the people who read it.

The texts are data, `words.toml` beside this module. What the customer wrote stands in quotation marks, as it came.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from connector.ehf.report import Language
from connector.ehf.rules import releases
from connector.ehf.rules.codelists import code_list
from connector.peppol.responses.codes import WARNING
from connector.peppol.responses.model import Clarification, Condition, InvoiceResponse, Issue, MessageStatus

_SHOWN: Final = 5
"""Issues of an access point that are written out; the others are counted."""
_CLARIFICATIONS: Final = 10
"""Clarifications of a customer likewise."""
_QUOTED: Final = 200
"""Characters of a text that are quoted; whoever wants all of it reads the response."""


class Words(NamedTuple):
    """A response in words: a title of one line, and the whole of it."""

    title: str
    text: str


def in_words(response: InvoiceResponse | MessageStatus, language: Language = "nb") -> Words:
    """What the response means, why, what its sender asks for and what to do, as one paragraph.

    The text begins with the title: "Kunden har avvist fakturaen: prisen er feil (PRI). …".
    """
    speaking = _Speaking(language, response.about.type_code)
    return speaking.customer(response) if isinstance(response, InvoiceResponse) else speaking.access_point(response)


class _Speaking:
    """One language, and what the document is called in it."""

    def __init__(self, language: Language, type_code: str | None) -> None:
        self.language = language
        self.phrases: dict[str, str] = _texts()["phrase"][language]
        self.kind = "document"
        if type_code is not None:
            credit = type_code in code_list("credit-note-type", releases.NEWEST.version)
            self.kind = "credit-note" if credit else "invoice"
        self.document = self.phrases[self.kind]

    def customer(self, response: InvoiceResponse) -> Words:
        reasons = dict.fromkeys(one.code for one in response.reasons)
        title = self._text("status", response.status, "-partly" if "PPD" in reasons else "")
        said = [_ended(_joined(title, [self._coded("reason", code) for code in reasons]))]
        for one in response.clarifications[:_CLARIFICATIONS]:
            said += self._clarified(one)
        said += self._more(len(response.clarifications) - _CLARIFICATIONS)
        said += [self._phrase("says", text=_plain(note)) for note in response.notes[:_SHOWN]]
        if actions := dict.fromkeys(one.code for one in response.actions):
            asked = self.phrases["and"].join(self._coded("action", code) for code in actions)
            said.append(self._phrase("asks", what=asked))
        if response.effective is not None:
            said.append(self._on(response.status, response.effective))
        to_do = [self._text("reason", code, "-do") for code in reasons]
        return Words(title, _paragraph([*said, *to_do, self._text("status", response.status, "-do")]))

    def access_point(self, response: MessageStatus) -> Words:
        title = self._text("message", response.status)
        said = [_ended(title)]
        if response.text:
            said.append(self._phrase("point-says", text=_plain(response.text)))
        said += [self._issue(issue) for issue in response.issues[:_SHOWN]]
        said += self._more(len(response.issues) - _SHOWN)
        to_do = [self._text("issue", issue.code, "-do") for issue in response.issues]
        return Words(title, _paragraph([*said, *to_do, self._text("message", response.status, "-do")]))

    def _more(self, count: int) -> list[str]:
        return [self._phrase("more", count=str(count))] if count > 0 else []

    def _clarified(self, one: Clarification) -> list[str]:
        """A clarification's own words, its code where that is unknown, and what it is about."""
        said = []
        if one.code is not None and not one.is_reason and not one.is_action:
            said.append(_ended(_capital(self._phrase("unknown", code=_plain(one.code)))))
        if one.text:
            said.append(self._phrase("says", text=_plain(one.text)))
        return said + [self._about(condition) for condition in one.conditions[:_SHOWN]]

    def _about(self, condition: Condition) -> str:
        term, value = self._term(_plain(condition.term)), _plain(condition.value or "")
        if not term:
            return self._phrase("says", text=value)
        return self._phrase("about" if value else "about-term", term=term, value=value)

    def _issue(self, issue: Issue) -> str:
        what = self._coded("issue", issue.code) if issue.code != WARNING else ""
        parts = [what, _plain(issue.text or ""), issue.where and f"({_plain(issue.where)})"]
        name = "warned" if issue.code == WARNING else "found"
        return self._phrase(name, what=": ".join(filter(None, parts[:2])) + (f" {parts[2]}" if parts[2] else ""))

    def _term(self, term: str) -> str:
        """`bestillingsnummer (BT-13)`; the term alone where it is none of the usual ones."""
        name = self._text("term", term)
        return f"{name} ({term})" if name else term

    def _coded(self, kind: str, code: str | None) -> str:
        """What a code means, with the code behind it."""
        text = self._text(kind, code)
        return f"{text} ({code})" if text else self._phrase("unknown", code=_plain(code or "?"))

    def _text(self, kind: str, code: str | None, which: str = "") -> str:
        """A text of a code; empty where there is none."""
        texts: dict[str, str] = _texts()[kind].get(code, {})
        name = f"{self.language}{which}"
        text = texts.get(f"{name}-{self.kind}") or texts.get(name) or ""
        return text.format(document=self.document) if "{document}" in text else text

    def _on(self, status: str, day: date) -> str:
        text: str = _texts()["status"][status].get(f"{self.language}-on", "")
        return text.format(day=self.phrases["day"].format(day))

    def _phrase(self, name: str, **values: str) -> str:
        return self.phrases[name].format(**values)


def _joined(title: str, reasons: Iterable[str]) -> str:
    why = ", ".join(reasons)
    return f"{title}: {why}" if why else title


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """The text in one line, without a full stop at its end, and cut where it is long."""
    line = " ".join(text.split()).removesuffix(".")
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED]}…"


def _paragraph(sentences: Iterable[str]) -> str:
    """The sentences, each once."""
    return " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
