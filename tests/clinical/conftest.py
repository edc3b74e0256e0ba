"""Hand-made exams: each starts as an exam without any asymmetry and is changed by what the test is about."""

from collections.abc import Callable, Mapping

import pytest

from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    Rating,
    RestEvidence,
    SynkinesisEvidence,
)

EXPRESSIONS = ("brow_raise", "eyes_gentle", "eyes_tight", "smile_open", "snarl", "pucker", "lower_teeth")
LIMIT = 0.01
OPEN = 0.1


def moved(ratio: float | None, z: float | None = 0.0, slope: float = 1.0, noise: float | None = None):
    reasons = {"ratio": "the reference side did not move"} if ratio is None else {}
    return MovementEvidence(ratio, noise, z, slope, reasons)


def eye(gap: float, reference: float = 0.0, slope: float = 1.0, opened: float | None = OPEN):
    return ClosureEvidence(gap, reference, LIMIT, slope, opened)


def make(
    movements: Mapping[str, MovementEvidence] | None = None,
    closures: Mapping[str, ClosureEvidence] | None = None,
    rest: Mapping[str, RestEvidence] | None = None,
    synkinesis: Mapping[str, SynkinesisEvidence] | None = None,
    ratings: Mapping[str, float] | None = None,
    without: tuple[str, ...] = (),
    missing: Mapping[str, str] | None = None,
    barred: str | None = None,
) -> ExamEvidence:
    """An exam without asymmetry, changed by the arguments; `without` names captures that were not taken."""

    def kept(base, changes):
        return {name: value for name, value in {**base, **(changes or {})}.items() if name not in without}

    return ExamEvidence(
        movements=kept({name: moved(1.0) for name in EXPRESSIONS}, movements),
        closures=kept({"eyes_gentle": eye(0.0), "eyes_tight": eye(0.0)}, closures),
        rest={}
        if "rest" in without
        else {**{zone: RestEvidence(0.0, 1.0) for zone in ("brow", "eye", "fold", "mouth")}, **(rest or {})},
        synkinesis=kept({name: SynkinesisEvidence(0.0, False) for name in EXPRESSIONS}, synkinesis),
        missing=missing or {},
        barred=barred,
        ratings=tuple(Rating(item, value, "A") for item, value in (ratings or {}).items()),
    )


@pytest.fixture(scope="session")
def exam() -> Callable[..., ExamEvidence]:
    return make


@pytest.fixture(scope="session")
def total_palsy() -> Callable[..., ExamEvidence]:
    """A complete flaccid palsy whose movement ratios (the lid's too) are all `ratio`."""

    def build(ratio: float = 0.0, rest_z: float = 4.0, **changes) -> ExamEvidence:
        return make(
            movements={name: moved(ratio, 8.0) for name in EXPRESSIONS},
            closures={"eyes_gentle": eye(0.06), "eyes_tight": eye(0.05)},
            rest={zone: RestEvidence(rest_z, 0.7) for zone in ("brow", "eye", "fold", "mouth")},
            **changes,
        )

    return build
