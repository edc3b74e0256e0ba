"""Asymmetry: how far healthy left and right differ, in shape, in resting tone and in movement.

The sizes are set so that left minus right of the true measures spreads as in real healthy people
(docs/concepts/synthetic-patients.md says which figure sets which; `benchmarks/healthy_asymmetry.py` measures it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.actions import ACTIONS
from facialpalsy.face.side import Side

MOVEMENT_SPREAD = 0.07
"""Healthy standard deviation of left minus right of one action's strength, as a share of it."""

_COMMON_SHARE = 0.5

REST_SPREAD = {"brow": 0.0166, "eye": 0.0063, "mouth": 0.0176}
"""Healthy standard deviation of left minus right at rest, in iod: brow above the canthi, palpebral fissure, corner of
the mouth. Root mean square of 52 people's hand-placed points (London set), so no landmark engine flattened it."""

IDENTITY_SPREAD = 0.10
"""Standard deviation of half the difference between the left and the right coefficients of every identity mode."""

TONE_SPREAD = {"browOuterUp": 0.10, "browInnerUp": 0.045, "eyeWide": 0.06, "mouthFrown": 0.095, "cheekSquint": 0.045}
"""Shape -> standard deviation of its weight at rest, on the left; the right has the opposite."""

LATERAL_SPREAD = {"mouthLeft": 0.09, "jawLeft": 0.15}
"""Sideways shape -> standard deviation of its weight at rest, positive towards the subject's left."""

EYE_NARROWING_SPREAD = 0.05
"""Standard deviation of the share of a fissure that one eye narrows more in a smile or a pucker."""

CORNER_PULL_SPREAD = 0.03
"""Standard deviation of the share of a full smile that one corner moves more as brows rise or eyes close."""


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """The natural asymmetry of one person.

    Attributes:
        identity: (100,) added to the identity coefficients on the left and taken away on the right.
        tone: Shape -> weight at rest on the left, and its negative on the right.
        lateral: `mouthLeft` and `jawLeft` -> weight; below 0 it is that of their mirror images.
        smile_shift: Sideways weight of the mouth at full smile, in standard deviations of the setting.
        gains: Action unit -> strength on the left minus that on the right, as a share of their mean.
        eye_narrowing: Share of the fissure that closes unasked in a smile or a pucker: on the left, or if below 0 on
            the right.
        corner_pull: Share of a full smile by which the corner moves unasked as brows rise or eyes close: likewise.
    """

    identity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(100, np.float32))
    tone: Mapping[str, float] = field(default_factory=dict)
    lateral: Mapping[str, float] = field(default_factory=dict)
    smile_shift: float = 0.0
    gains: Mapping[str, float] = field(default_factory=dict)
    eye_narrowing: float = 0.0
    corner_pull: float = 0.0

    def gain(self, side: Side, unit: str) -> float:
        """Factor of an action's strength on one side."""
        return 1 + side.sign * self.gains.get(unit, 0.0) / 2

    def mirrored(self) -> Asymmetry:
        """The same person's mirror image."""
        return Asymmetry(
            identity=-self.identity,
            tone={name: -weight for name, weight in self.tone.items()},
            lateral={name: -weight for name, weight in self.lateral.items()},
            smile_shift=-self.smile_shift,
            gains={unit: -gain for unit, gain in self.gains.items()},
            eye_narrowing=-self.eye_narrowing,
            corner_pull=-self.corner_pull,
        )


SYMMETRIC = Asymmetry()
"""Nobody's, for tests of what palsy alone does."""


def draw_asymmetry(rng: np.random.Generator) -> Asymmetry:
    """A healthy person's asymmetry."""
    common = rng.normal()
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    return Asymmetry(
        identity=rng.normal(0, IDENTITY_SPREAD, 100).astype(np.float32),
        tone={name: float(rng.normal(0, spread)) for name, spread in TONE_SPREAD.items()},
        lateral={name: float(rng.normal(0, spread)) for name, spread in LATERAL_SPREAD.items()},
        smile_shift=float(rng.normal()),
        gains={
            unit: float(MOVEMENT_SPREAD * (_COMMON_SHARE**0.5 * common + (1 - _COMMON_SHARE) ** 0.5 * rng.normal()))
            for unit in units
        },
        eye_narrowing=float(rng.normal(0, EYE_NARROWING_SPREAD)),
        corner_pull=float(rng.normal(0, CORNER_PULL_SPREAD)),
    )


def movement_spread(shares: Mapping[str, float]) -> float:
    """Healthy standard deviation of left minus right of a movement that is made of actions in these shares."""
    own = sum(share**2 for share in shares.values())
    return float(MOVEMENT_SPREAD * np.sqrt(_COMMON_SHARE + (1 - _COMMON_SHARE) * own))
