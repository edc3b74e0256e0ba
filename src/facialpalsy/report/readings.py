"""Readings: measures and movements in the unit in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from facialpalsy.assessment import Z_LIMIT, Measure, Movement, Sides

TWO_SIDED_95 = 1.96
"""Standard deviations of noise within which 95 % of repeats lie; nothing within is called out."""


@dataclass(frozen=True)
class Reading:
    """One measure in one unit; `left` and `right` are None for a midline measure, whose value is `difference`.

    `noise`, `limits` and `mdc` (minimal detectable change of a movement) are in the same unit.
    """

    unit: str
    left: float | None
    right: float | None
    difference: float
    noise: float | None = None
    limits: tuple[float, float] | None = None
    mdc: float | None = None

    @property
    def exceeds_noise(self) -> bool:
        """Whether left and right differ by more than the 95 % repeat error, where that is known."""
        return self.noise is None or abs(self.difference) > TWO_SIDED_95 * self.noise


def readings(measure: Measure, mm_per_iod: float | None) -> list[Reading]:
    """The measure in its own unit and, where there is a scale, in mm; empty where the measure is withheld."""
    if measure.sides is None:
        return []
    unit = "deg" if measure.iod is None else "iod"
    found = [_reading(unit, measure.sides, 1.0, measure)]
    if measure.mm is not None and mm_per_iod is not None:
        found.append(_reading("mm", measure.mm, mm_per_iod, measure))
    return found


def movement_reading(movement: Movement) -> Reading | None:
    """The movement in mm where it has them, else in iod; None where it is withheld."""
    if movement.iod is None:
        return None
    unit, sides, factor = "iod", movement.iod, 1.0
    if movement.mm is not None:
        unit, sides, factor = "mm", movement.mm, _mm_per_iod(movement.iod, movement.mm)
    noise, mdc = (None if value is None else value * factor for value in (movement.noise, movement.mdc))
    return Reading(unit, sides.left, sides.right, sides.difference, noise, mdc=mdc)


def beyond_limits(measure: Measure) -> bool:
    """Whether left and right differ by more than in 95 % of healthy people and by more than the noise."""
    if measure.z is None or measure.sides is None or measure.healthy_limits is None:
        return False
    low, high = measure.healthy_limits
    reading = _reading("", measure.sides, 1.0, measure)
    return reading.exceeds_noise and not low <= reading.difference <= high


def movement_beyond_limits(movement: Movement) -> bool:
    """As `beyond_limits`, for a movement."""
    reading = movement_reading(movement)
    return movement.z is not None and reading is not None and reading.exceeds_noise and abs(movement.z) > Z_LIMIT


def _reading(unit: str, sides: Sides, factor: float, measure: Measure) -> Reading:
    noise = None if measure.noise is None else measure.noise * factor
    limits = None
    if measure.healthy_limits is not None:
        low, high = measure.healthy_limits
        limits = (low * factor, high * factor)
    return Reading(unit, sides.left, sides.right, sides.difference, noise, limits)


def _mm_per_iod(iod: Sides, mm: Sides) -> float:
    pairs = [(iod.difference, mm.difference), (iod.left or 0.0, mm.left or 0.0), (iod.right or 0.0, mm.right or 0.0)]
    small, large = max(pairs, key=lambda pair: abs(pair[0]))
    return large / small if small else 0.0
