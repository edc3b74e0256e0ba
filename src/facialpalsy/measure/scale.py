"""Scale: millimetres from the visible iris.

The visible iris is 11.7 mm wide (all 11.71 +- 0.42, men 11.77 +- 0.37, women 11.64 +- 0.47; Rufer 2005), so every
millimetre carries about 7 % (95 %) between people, plus the error of measuring the iris; it cancels in ratios.
Only the horizontal chord is used: the lids clip the vertical one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from facialpalsy.face import Landmarks, Side, face_frame
from facialpalsy.measure.eye import CLOSED_OPENNESS, openness
from facialpalsy.measure.geometry import FramedFace, WithheldError

IRIS_MM = 11.7
IRIS_MIN_PX = 8.0
IRIS_MAX_DIFFERENCE = 0.10
BETWEEN_PEOPLE_PERCENT = 7.0


@dataclass(frozen=True)
class Scale:
    """Millimetres of one capture.

    Attributes:
        mm_per_iod: Length of the outer-canthus distance in millimetres, or None where withheld.
        source: Where it comes from.
        error_percent: 95 % error of every millimetre value between people, measuring the iris included.
        iris_px: Mean visible iris diameter in pixels, where it was measured.
        withheld: Why there is no scale, or None.
    """

    mm_per_iod: float | None
    source: Literal["iris", "ruler", "rest capture"] | None = None
    error_percent: float | None = None
    iris_px: float | None = None
    withheld: str | None = None


def iris_scale(landmarks: Landmarks, *, iris_mm: float = IRIS_MM) -> Scale:
    """Scale from the mean horizontal iris chord of both open eyes."""
    frame = face_frame(landmarks)
    face = FramedFace.of(landmarks, frame)
    try:
        for side in Side:
            if openness(face, side) < CLOSED_OPENNESS:
                raise WithheldError("an eye is closed, so its iris cannot be seen")
        chords = np.array([_iris_chord_px(face, side) for side in Side])
    except WithheldError as reason:
        return Scale(None, withheld=str(reason))
    if chords.min() < IRIS_MIN_PX:
        return Scale(
            None, withheld=f"the iris is {chords.min():.1f} px wide; {IRIS_MIN_PX:.0f} px are needed for millimetres"
        )
    if np.ptp(chords) > IRIS_MAX_DIFFERENCE * chords.mean():
        return Scale(
            None, withheld=f"the irises measure {chords.min():.1f} and {chords.max():.1f} px, more than 10 % apart"
        )
    pixel_percent = 100 * _chord_error_px(landmarks) / float(chords.mean())
    error = float(np.hypot(BETWEEN_PEOPLE_PERCENT, pixel_percent))
    return Scale(float(iris_mm / chords.mean() * frame.iod), "iris", error, iris_px=float(chords.mean()))


def _iris_chord_px(face: FramedFace, side: Side) -> float:
    medial, _, lateral, _ = face.curve("iris_ring", side)
    return float(np.hypot(*(medial - lateral))) * face.frame.iod


def _chord_error_px(landmarks: Landmarks) -> float:
    """1.96 standard errors of the mean chord over the repeats; one pixel where there are none."""
    if landmarks.repeats is None or len(landmarks.repeats) < 2:
        return 1.0
    rings = [landmarks.scheme.curve("iris_ring", side) or () for side in Side]
    ends = [(ring[0], ring[2]) for ring in rings]
    chords = np.mean(
        [np.linalg.norm(landmarks.repeats[:, a] - landmarks.repeats[:, b], axis=1) for a, b in ends], axis=0
    )
    return float(1.96 * chords.std(ddof=1) / np.sqrt(len(chords)))
