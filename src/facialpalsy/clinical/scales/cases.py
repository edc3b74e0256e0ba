"""Cases: one exam resolved into the best and the worst case for the patient that its evidence allows.

The best case takes everything as measured, a difference within its noise as none and what is unknown as healthy. The
worst case keeps what is within noise as measured, undoes what the landmark engine under-reports (slope s below
`UNBIASED_SLOPE`: a difference d was d / s), takes what is unknown as beyond healthy limits wherever the affected side
is behind at all, and where no limit of a closed eye was measured an eye is closed only up to `SURELY_CLOSED_IOD`. A
scale is computed in both; where they agree the result is known. All that follows is monotone: the worst case never
comes out milder than the best.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    RestEvidence,
    SynkinesisEvidence,
)
from facialpalsy.clinical.scales.result import Span
from facialpalsy.clinical.scales.thresholds import (
    BARELY_RATIO,
    HEALTHY_Z,
    SMALLEST_SLOPE,
    SURELY_CLOSED_IOD,
    SYNKINESIS_STEPS,
    TRACE_RATIO,
    UNBIASED_SLOPE,
)

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Moved:
    """A movement whose ratio is defined, in one case.

    Attributes:
        ratio: Movement of the affected over the reference side.
        beyond: Whether the left-right difference is beyond healthy limits.
        trace: Largest ratio that is no movement.
        known_healthy: Whether the difference is within existing healthy limits or, in the best case, within its noise.
    """

    ratio: float
    beyond: bool
    trace: float = TRACE_RATIO
    known_healthy: bool = False


@dataclass(frozen=True)
class Case:
    """One reading of the evidence; what cannot be assessed is absent.

    Attributes:
        worst: Whether this is the worst case.
        moved: Expression (or `smile_fold`) -> its movement.
        incomplete: Closure attempt that counts -> whether the affected eye stays open.
        closed: Closure attempt that counts -> share of the affected fissure that is closed, 0 to 1.
        rest_beyond: Zone at rest -> whether it is beyond healthy limits.
        rest_ratio: Zone at rest -> affected over reference.
        synkinesis: Expression -> involuntary change beyond healthy limits, as a share of the region's own range.
    """

    worst: bool
    moved: Mapping[str, Moved]
    incomplete: Mapping[str, bool]
    closed: Mapping[str, float]
    rest_beyond: Mapping[str, bool]
    rest_ratio: Mapping[str, float]
    synkinesis: Mapping[str, float]

    def unknown(self, best: float, worst: float) -> float:
        """What this case takes for a value that may lie anywhere between `best` and `worst`."""
        return worst if self.worst else best


@dataclass(frozen=True)
class Cases:
    """Both readings of one exam."""

    best: Case
    worst: Case

    def span(self, score: Callable[[Case], float | None]) -> Span | None:
        """`score` in both cases; None where it cannot be assessed."""
        best, worst = score(self.best), score(self.worst)
        return None if best is None or worst is None else Span(best, worst)


def resolve(evidence: ExamEvidence) -> Cases:
    """Both cases of `evidence`; of a barred exam nothing is assessed, since its sides or its norms do not hold."""
    if evidence.barred is not None:
        evidence = ExamEvidence(movements={}, closures={}, rest={}, synkinesis={}, missing={})
    return Cases(_case(evidence, worst=False), _case(evidence, worst=True))


def counts(closure: ClosureEvidence) -> bool:
    """Whether an attempt to close the eyes counts: the reference eye must be shut."""
    return closure.reference_gap <= closure.healthy_limit


def stays_open(closure: ClosureEvidence, *, worst: bool) -> bool:
    """Whether the affected eye does not close, in the best or in the worst case."""
    return _gap(closure, worst=worst) > _closed_up_to(closure, worst=worst)


def midface_expression(evidence: ExamEvidence) -> str:
    """`snarl`, or `smile_fold` where only the fold in the smile has a movement ratio."""
    movements = evidence.movements
    usable = [name for name in ("snarl", "smile_fold") if name in movements and movements[name].ratio is not None]
    return usable[0] if usable else "snarl"


def synkinesis_level(case: Case, expression: str) -> int | None:
    """Synkinesis 0-3 in one expression; None where not assessed."""
    share = case.synkinesis.get(expression)
    return None if share is None else sum(share >= step for step in SYNKINESIS_STEPS)


def strongest_synkinesis(case: Case, asked: Collection[str]) -> int | None:
    """The largest `synkinesis_level` of all expressions; None where none is assessed.

    In the worst case it is severe in an expression that is `asked` for and was not assessed.
    """
    if case.synkinesis and case.worst and not case.synkinesis.keys() >= set(asked):
        return len(SYNKINESIS_STEPS)
    return max((synkinesis_level(case, name) or 0 for name in case.synkinesis), default=None)


def undone(difference: float, slope: float) -> float:
    """The true size of a measured `difference` when the engine reports the share `slope` of it."""
    return difference if slope >= UNBIASED_SLOPE else difference / max(slope, SMALLEST_SLOPE)


def _case(evidence: ExamEvidence, *, worst: bool) -> Case:
    attempts = {name: closure for name, closure in evidence.closures.items() if counts(closure)}
    return Case(
        worst=worst,
        moved=_present(evidence.movements, partial(_moved, worst=worst)),
        incomplete={name: stays_open(closure, worst=worst) for name, closure in attempts.items()},
        closed=_present(attempts, partial(_closed, worst=worst)),
        rest_beyond=_present(evidence.rest, partial(_rest_beyond, worst=worst)),
        rest_ratio=_present(evidence.rest, partial(_rest_ratio, worst=worst)),
        synkinesis=_present(evidence.synkinesis, partial(_involuntary, worst=worst)),
    )


def _present(given: Mapping[str, Given], find: Callable[[Given], Found | None]) -> dict[str, Found]:
    found = {name: find(value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def _moved(movement: MovementEvidence, *, worst: bool) -> Moved | None:
    ratio, z = movement.ratio, movement.z
    if ratio is None:
        return None
    # Capped, since a total palsy must not need less movement loss than a severe one.
    trace = min(max(TRACE_RATIO, movement.noise_ratio or 0.0), BARELY_RATIO)
    if movement.within_noise and not worst:
        return Moved(max(ratio, 1.0), beyond=False, trace=trace, known_healthy=True)
    behind = ratio < 1
    if worst and behind and movement.slope < UNBIASED_SLOPE:
        ratio = min(ratio, max(0.0, 1 - undone(1 - ratio, movement.slope)))
    if z is None:
        return Moved(ratio, worst and behind, trace)
    beyond = abs(undone(z, movement.slope) if worst else z) > HEALTHY_Z
    return Moved(ratio, beyond, trace, known_healthy=not beyond)


def _gap(closure: ClosureEvidence, *, worst: bool) -> float:
    wider = closure.affected_gap - closure.reference_gap
    if closure.within_noise and not worst:
        return min(closure.affected_gap, closure.reference_gap)
    if not worst or wider <= 0:
        return closure.affected_gap
    # Rounding may lose a little of the sum; the worst case must not come out narrower than what was measured.
    return max(closure.affected_gap, closure.reference_gap + undone(wider, closure.slope))


def _closed_up_to(closure: ClosureEvidence, *, worst: bool) -> float:
    limit = closure.healthy_limit
    return min(limit, SURELY_CLOSED_IOD) if worst and not closure.limit_measured else limit


def _closed(closure: ClosureEvidence, *, worst: bool) -> float | None:
    if not stays_open(closure, worst=worst):
        return 1.0
    if not closure.affected_open:
        return None
    return min(1.0, max(0.0, 1 - _gap(closure, worst=worst) / closure.affected_open))


def _rest_beyond(rest: RestEvidence, *, worst: bool) -> bool | None:
    if rest.z is None:
        # Without limits any difference may be too large; without a ratio either, nothing was seen.
        return None if rest.ratio is None else worst and rest.ratio != 1
    if rest.within_noise and not worst:
        return False
    return abs(undone(rest.z, rest.slope) if worst else rest.z) > HEALTHY_Z


def _rest_ratio(rest: RestEvidence, *, worst: bool) -> float | None:
    if rest.ratio is None:
        return None
    if worst:
        return 1 + undone(rest.ratio - 1, rest.slope)
    return 1.0 if rest.within_noise else rest.ratio


def _involuntary(found: SynkinesisEvidence, *, worst: bool) -> float:
    beyond = worst if found.beyond_limits is None else found.beyond_limits
    if not beyond:
        return 0.0
    return undone(found.share, found.slope) if worst else found.share
