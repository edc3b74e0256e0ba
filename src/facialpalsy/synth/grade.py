"""Grade: House-Brackmann by the published rule (`clinical.scales`), from the columns of a label table alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    RestEvidence,
    SynkinesisEvidence,
)
from facialpalsy.clinical.scales.cases import counts, resolve, strongest_synkinesis
from facialpalsy.clinical.scales.house_brackmann import grade_of
from facialpalsy.clinical.scales.patterns import pattern_of
from facialpalsy.clinical.scales.thresholds import SURELY_CLOSED_IOD
from facialpalsy.face.side import Side

_MOVED = ("brow_raise", "snarl", "smile_open", "pucker", "lower_teeth")
_CLOSED = ("eyes_gentle", "eyes_tight")
_SYNKINESIS_IN = ("brow_raise", "eyes_gentle", "eyes_tight", "smile_closed", "smile_open", "snarl", "pucker")
# Whether the affected side being lower (brow, mouth corner) or wider (eye) raises the measure.
_REST_SIGNS = {"brow": -1, "eye": 1, "mouth": -1}
_UNDEFINED = {
    "central": "House-Brackmann is not defined for a central palsy.",
    "branch": "House-Brackmann is not defined for the palsy of a single branch.",
    "bilateral": "House-Brackmann is not defined for a palsy of both sides.",
}


def grade_from_labels(row: Mapping[str, Any]) -> int | None:
    """Grade 1-6 of one patient from one row of the label table; None where `ungraded` names a reason.

    A healthy person has no affected side: the grade is the higher one of the two that either side would get.
    """
    if ungraded(row) is not None:
        return None
    return max(_grade(_evidence(row, side)) for side in _affected(row))


def ungraded(row: Mapping[str, Any]) -> str | None:
    """Why this row has no grade, as a sentence, or None."""
    if row["operated"]:
        return f"House-Brackmann is not defined for an operated face ({row['operated']})."
    if row["kind"] in _UNDEFINED:
        return _UNDEFINED[row["kind"]]
    still = _still(row)
    if still is not None:
        return still
    if not all(counts(closure) for side in _affected(row) for closure in _evidence(row, side).closures.values()):
        return "The eye of the other side does not shut, so an attempt to close the eyes does not count."
    if row["kind"] == "healthy":
        return None
    evidence = _evidence(row, _affected(row)[0])
    pattern = pattern_of(evidence, resolve(evidence).best)
    return None if pattern is None else f"{pattern} House-Brackmann is not defined for it."


def _still(row: Mapping[str, Any]) -> str | None:
    for side in _affected(row):
        for name in _MOVED:
            if row[f"movement_{name}_{side.other}"] <= 0:
                return f"The {side.other} side, which the {side} one is compared with, does not move at all in {name}."
    return None


def _affected(row: Mapping[str, Any]) -> tuple[Side, ...]:
    return tuple(Side) if row["affected_side"] == "none" else (Side(row["affected_side"]),)


def _grade(evidence: ExamEvidence) -> int:
    # Everything is known exactly, so the best case is the case.
    case = resolve(evidence).best
    return grade_of(case, "snarl", strongest_synkinesis(case, ()) or 0)


def _evidence(row: Mapping[str, Any], affected: Side) -> ExamEvidence:
    """The row in the terms of the scales: the engine reports all of a difference and has no noise."""
    other = affected.other
    return ExamEvidence(
        movements={
            name: MovementEvidence(
                ratio=_ratio(row[f"movement_{name}_{affected}"], row[f"movement_{name}_{other}"]),
                z=-affected.sign * row[f"movement_z_{name}"],
            )
            for name in _MOVED
        },
        closures={
            name: ClosureEvidence(
                affected_gap=row[f"fissure_{name}_{affected}"],
                reference_gap=row[f"fissure_{name}_{other}"],
                healthy_limit=SURELY_CLOSED_IOD,
                affected_open=row[f"fissure_rest_{affected}"],
            )
            for name in _CLOSED
        },
        rest={zone: RestEvidence(z=sign * affected.sign * row[f"rest_z_{zone}"]) for zone, sign in _REST_SIGNS.items()},
        synkinesis={name: _synkinesis(row, name, affected) for name in _SYNKINESIS_IN},
        missing={},
    )


def _ratio(affected: float, reference: float) -> float | None:
    return affected / reference if reference > 0 else None


def _synkinesis(row: Mapping[str, Any], name: str, affected: Side) -> SynkinesisEvidence:
    share = max(0.0, row[f"synkinesis_{name}_{affected}"] - row[f"synkinesis_{name}_{affected.other}"])
    return SynkinesisEvidence(share=share, beyond_limits=share > 0)
