"""The codes of responses, as facts, and which document types there are to respond to.

Source: Peppol BIS Invoice Response 3.1, Peppol BIS Message Level Response 3.0 (release of May 2026), Peppol Message
Level Status 1.0.1.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Status = Literal["AB", "IP", "UQ", "CA", "RE", "AP", "PD"]
"""How it stands with an invoice at the buyer's: received, in process, under query, conditionally accepted, rejected,
accepted, paid (UNCL 4343, subset)."""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)

NEED_REASON: Final = frozenset({"CA", "UQ", "RE"})
"""Statuses that say nothing without a reason (PEPPOL-T111-R001)."""
NEED_TEXT: Final = frozenset({"PPD", "OTH"})
"""Reasons that say nothing without words (PEPPOL-T111-R004, R002)."""

REASON_LIST: Final = "OPStatusReason"
ACTION_LIST: Final = "OPStatusAction"
REASONS: Final = ("NON", "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH")
"""Why: the list `OPStatusReason`."""
ACTIONS: Final = ("NOA", "PIN", "NIN", "CNF", "CNP", "CNA", "OTH")
"""What the buyer asks the seller to do: the list `OPStatusAction`."""

MessageCode = Literal["AP", "AB", "RE"]
"""What became of a message: accepted, handed on without confirmation, rejected."""
MESSAGE_CODES: Final[tuple[MessageCode, ...]] = get_args(MessageCode)
FAILURES: Final = ("SV", "BV", "FD")
"""Why a message was rejected: broken syntax, a broken rule, not deliverable."""
WARNING: Final = "BW"
"""A rule that only warns."""

# UNCL 1001 as the responses allow it: nearly every number, so the stretches say it shorter.
_DOCUMENT_TYPES: Final = (
    (1, 470), (481, 491), (493, 499), (520, 539), (550, 554), (575, 589), (610, 610), (621, 659), (700, 751),
    (760, 761), (763, 766), (770, 770), (775, 775), (780, 799), (810, 812), (820, 825), (830, 830), (833, 833),
    (840, 841), (850, 853), (855, 856), (860, 865), (870, 870), (890, 890), (895, 896), (901, 901), (910, 911),
    (913, 917), (925, 927), (929, 938), (940, 941), (950, 955), (960, 966), (970, 972), (974, 979), (990, 991),
    (995, 996), (998, 998), (1999, 1999),
)  # fmt: skip
DOCUMENT_TYPES: Final = frozenset(str(code) for first, last in _DOCUMENT_TYPES for code in range(first, last + 1))
"""UNCL 1001, the types of documents: 380 invoice, 381 credit note …"""
