"""Expressions: the nine captures of an exam, how file names say them, and the published orders of named sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from facialpalsy.errors import UsageError, did_you_mean


class Expression(StrEnum):
    """What the subject was asked to do."""

    REST = "rest"
    BROW_RAISE = "brow_raise"
    EYES_GENTLE = "eyes_gentle"
    EYES_TIGHT = "eyes_tight"
    SMILE_CLOSED = "smile_closed"
    SMILE_OPEN = "smile_open"
    SNARL = "snarl"
    PUCKER = "pucker"
    LOWER_TEETH = "lower_teeth"

    @classmethod
    def parse(cls, text: str) -> Expression:
        """The expression named `text`, with blanks or hyphens too; else a UsageError suggests the closest."""
        try:
            return cls(re.sub(r"[\s-]+", "_", text.strip().lower()))
        except ValueError:
            raise UsageError(f"Unknown expression {text!r}. {did_you_mean(text, list(cls))}") from None

    @classmethod
    def from_name(cls, stem: str) -> Expression | None:
        """The expression a file name states, as in `03_smile_open-2.jpg`; None where it states none or two."""
        plain = "_" + re.sub(r"[^a-z]+", "_", stem.lower()).strip("_") + "_"
        found = [expression for expression in cls if f"_{expression}_" in plain]
        return found[0] if len(found) == 1 else None


_E = Expression
ORDERS: Mapping[str, tuple[Expression, ...]] = MappingProxyType(
    {
        # Greene 2020 (doi 10.1002/lary.27986): poses 1 to 8 of the MEEI standard set.
        "meei": (
            _E.REST, _E.BROW_RAISE, _E.EYES_GENTLE, _E.EYES_TIGHT,
            _E.SMILE_CLOSED, _E.SMILE_OPEN, _E.PUCKER, _E.LOWER_TEETH,
        ),
        # The order of this package's own exam.
        "exam": tuple(_E),
    }
)  # fmt: skip
"""Orders for captures named by position only."""
