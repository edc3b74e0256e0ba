"""Person: who a synthetic patient is, and one take of one expression."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.actions import ACTIONS
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face.side import Side
from facialpalsy.synth.asymmetry import SYMMETRIC, Asymmetry
from facialpalsy.synth.face_model import FaceModel, Vertices
from facialpalsy.synth.muscles import MOTIONS, OWN, Motion
from facialpalsy.synth.palsy import HEALTHY, Palsy
from facialpalsy.synth.varied import varied

_WIDTH_CM = 2.5
"""Half of the width over the midline within which the left half's shape passes into the right half's."""

_SMILES = (Expression.SMILE_OPEN, Expression.SMILE_CLOSED)


@dataclass(frozen=True, eq=False)
class Patient:
    """One person: a face and a palsy, the same over all expressions and takes.

    Attributes:
        subject: Pseudonym.
        seed: Seed of the corpus that the person belongs to.
        setting: Setting of motion and look, `a`, `b` or `c`.
        identity: (100,) coefficients of the face model in standard deviations.
        asymmetry: Natural asymmetry.
        palsy: What fails.
    """

    subject: str
    seed: int
    setting: str
    identity: NDArray[np.float32]
    asymmetry: Asymmetry = SYMMETRIC
    palsy: Palsy = HEALTHY

    @property
    def motion(self) -> Motion:
        """How the person moves: as everyone of the setting, or in setting `c` in a way of their own."""
        return _own_motion(self.seed, self.subject) if self.setting == OWN else MOTIONS[self.setting]

    def mirrored(self) -> Patient:
        """The mirror image: every left is the other's right, and every label with it."""
        return replace(self, asymmetry=self.asymmetry.mirrored(), palsy=self.palsy.mirrored())

    def neutral(self, model: FaceModel) -> Vertices:
        """(n, 3) centimetres: the face without any muscle's tone, kept for the next call; not to be written to."""
        return _neutral(model, self.identity.tobytes(), self.asymmetry.identity.tobytes())


@lru_cache(maxsize=32)
def _own_motion(seed: int, subject: str) -> Motion:
    """The motion of one person of setting `c`."""
    return varied(MOTIONS[OWN], seeded(seed, OWN, subject, "motion"))


@lru_cache(maxsize=32)
def _neutral(model: FaceModel, identity: bytes, difference: bytes) -> Vertices:
    side = _handedness(model)[:, None]
    face = model.neutral.copy()
    # Mode after mode: a product of matrices adds in an order that depends on the number of threads.
    for mode, both, odd in zip(
        model.identity, np.frombuffer(identity, np.float32), np.frombuffer(difference, np.float32), strict=True
    ):
        face += (both + odd * side) * mode
    face.flags.writeable = False
    return face


@lru_cache(maxsize=2)
def _handedness(model: FaceModel) -> NDArray[np.float32]:
    """(n,) 1 on the left, -1 on the right, smooth over the midline and exactly odd under the mirror map."""
    x = np.clip(model.neutral[:, 0] / _WIDTH_CM, -1, 1)
    smooth = x * (3 - x**2) / 2
    return np.asarray((smooth - smooth[model.mirror]) / 2, np.float32)


@dataclass(frozen=True, eq=False)
class Take:
    """One attempt at an expression.

    Attributes:
        expression: What was asked for.
        number: Which attempt.
        amplitude: Action unit -> strength that is meant, the same on both sides.
        jitter: Side and action unit -> factor of this attempt.
        effort: Factor of the whole attempt; it is part of `amplitude`.
        gaze: Degrees towards the subject's left and up.
        blink: Share of the fissure that both lids close although nobody asked for it.
    """

    expression: Expression
    number: int = 0
    amplitude: Mapping[str, float] = field(default_factory=dict)
    jitter: Mapping[tuple[Side, str], float] = field(default_factory=dict)
    effort: float = 1.0
    gaze: tuple[float, float] = (0.0, 0.0)
    blink: float = 0.0

    def mirrored(self) -> Take:
        """The take of the mirrored patient."""
        jitter = {(side.other, unit): factor for (side, unit), factor in self.jitter.items()}
        return replace(self, jitter=jitter, gaze=(-self.gaze[0], self.gaze[1]))

    @property
    def smiling(self) -> bool:
        """Whether it is a smile."""
        return self.expression in _SMILES


def seeded(*names: object) -> np.random.Generator:
    """A generator that belongs to these names, whatever was drawn before."""
    words = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(np.frombuffer(words, "<u4").tolist()))


def plain_take(patient: Patient, expression: Expression) -> Take:
    """The expression as its recipe means it, without what differs between takes: exact truth is read from it."""
    return Take(expression, amplitude=patient.motion.nominal(expression))


def draw_take(patient: Patient, expression: Expression, number: int) -> Take:
    """Attempt `number` at an expression; it depends on nothing but the patient's seed and name, and these two."""
    motion = patient.motion
    # How a person acts is the person's own; each take varies about it.
    habit = seeded(patient.seed, patient.setting, patient.subject, expression.value)
    rng = seeded(patient.seed, patient.setting, patient.subject, expression.value, number)
    effort = float(rng.uniform(*motion.effort))
    amplitude = {}
    for unit, (least, largest) in motion.recipes[expression].items():
        meant = habit.uniform(least, largest)
        # To close the eyes is to try at all; how well it goes is the palsy's.
        varies = unit != "AU43"
        amplitude[unit] = float(meant * effort * max(0.0, rng.normal(1, motion.take_jitter))) if varies else 1.0
    units = [unit for unit, action in ACTIONS.items() if action.zone is not None]
    jitter = {(side, unit): float(max(0.5, rng.normal(1, motion.side_jitter))) for side in Side for unit in units}
    gaze = tuple(float(degrees) for degrees in rng.normal(0, (2.5, 2.0)).clip(-7, 7))
    return Take(
        expression=expression,
        number=number,
        amplitude=amplitude,
        jitter=jitter,
        effort=effort,
        gaze=(gaze[0], gaze[1]),
        blink=float(rng.beta(1, 12)) if expression is Expression.REST else float(rng.beta(1, 20)),
    )
