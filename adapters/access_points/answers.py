"""What the answers of access points mean: by status, alike for all that have a JSON API; and shapes to read them with.

A verdict on the document is `Refused`; what is wrong with the connection (401, 403, an address that leads nowhere) is
for a person and says nothing of the document.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import Answer

log = logging.getLogger(__name__)

Id = Annotated[str, StringConstraints(pattern=r"^[\w.:-]+$")]
"""What stands in paths: nothing that would lead elsewhere."""


class Shape(BaseModel):
    """Something that is shown. What is added later is let pass; null is as if it were not there."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        return {name: value for name, value in said.items() if value is not None}


S = TypeVar("S", bound=Shape)


def out_of_reach(error: VendorError) -> bool:
    """Whether a document cannot be fetched, now or later: it is not given, or it is too large to be taken in."""
    return isinstance(error, Refused) or error.code == "answer-too-large"


class ThereAlready(Refused):
    """It is there already, as the access point says: our key was used before."""

    default_code = "there-already"


@dataclass(frozen=True, slots=True)
class Vendor:
    """An access point, as errors speak of it.

    Args:
        name: as a person knows it.
        address: where its API is.
        sign_in, access: what a person does where it does not let us in (401), or does not allow a call (403).
    """

    name: str
    address: str
    sign_in: str
    access: str

    def read(self, shape: type[S], said: Any, call: str) -> S:
        """What it said, as one of these. Raises `VendorError` ("vendor-answer")."""
        try:
            return shape.model_validate(said)
        except ValidationError as exc:
            first = exc.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole answer"
            raise self.undescribed(call, f"{place} ({first['msg']})") from None

    def undescribed(self, call: str, what: str) -> VendorError:
        """An answer that is not as it should be; `what` is wrong with it."""
        return VendorError(
            f"{self.name}'s answer is not as described: {what}.",
            code="vendor-answer",
            do=f"Try again later; if it stays so, see whether {self.name} has changed it.",
            where={"call": call},
        )

    def made(self, shape: type[S], answer: Answer, call: str) -> S:
        """What a write has made. Raises `UnknownOutcome` ("vendor-answer"): it was taken, and that cannot be read."""
        try:
            return self.read(shape, answer.json(), call)
        except VendorError as exc:
            where = {"call": call}
            raise UnknownOutcome(exc.said, code=exc.code, do=exc.do, where=where, status=answer.status) from exc

    def refusal(
        self, answer: Answer, call: str, *, words: str | None, details: Any, collection: bool, there: bool
    ) -> VendorError:
        """What an answer from 300 on means.

        Args:
            answer, call: what was answered to what.
            words, details: what it says, for a person and for programs.
            collection: what was asked for is there for everybody, so a 404 speaks of the connection.
            there: it says that it has this already.
        """
        more: dict[str, Any] = {
            "status": answer.status,
            "said_by_vendor": words or answer.body.decode("utf-8", "replace")[:2000] or None,
            "where": {"call": call},
            "details": details or None,
        }
        if answer.status != 404 or collection:
            log.warning("%s: %s -> %s", self.name, call, answer.status)
        if there:
            return ThereAlready(f"{self.name} says that it has this already.", **more)
        match answer.status:
            case 401:
                return NeedsPerson(
                    f"{self.name} does not let this connection in.", code="sign-in", do=self.sign_in, **more
                )
            case 402 | 403:
                return NeedsPerson(f"{self.name} does not allow this.", code="access-refused", do=self.access, **more)
            case status if 300 <= status < 400 or (status in {404, 405} and collection):
                do = f"See that the setting base_url is {self.name}'s ({self.address})."
                return NeedsPerson("There is no such call at this address.", code="address-wrong", do=do, **more)
            case 404:
                return Refused(f"{self.name} has no such thing.", code="vendor-not-found", **more)
            case 408:
                return TryLater(f"{self.name} waited too long for the request.", **more)
            case 413:
                do = "Send it with smaller attachments, or through an access point that takes it."
                return Refused(f"It is too large for {self.name}.", code="document-too-large", do=do, **more)
            case 400 | 422:
                do = f"Read what {self.name} says about it, mend the document, and send it again."
                return Refused(f"{self.name} refused the document.", code="vendor-validation", do=do, **more)
        return Refused(f"{self.name} refused with status {answer.status}.", **more)
