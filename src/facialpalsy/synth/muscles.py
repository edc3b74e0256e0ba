"""Muscles: which shapes of the face model an action bends, and which actions make each expression.

There are two settings, `a` and `b`, written separately, so that what was trained on one can be tested on the other.
They differ in how shapes are mixed, in how strongly people act, in how much takes vary, and in what a palsy does at
rest: how the face hangs or is drawn together, where the lips go and how the eyes roll.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression

Weights = Mapping[str, float]
Mixtures = Mapping[str, Weights]
Recipes = Mapping[Expression, Mapping[str, tuple[float, float]]]

_E = Expression


@dataclass(frozen=True)
class Motion:
    """How people of one setting move.

    Attributes:
        mixtures: Action unit -> shape without its side -> weight at strength 1. The jaw's shapes have no side. AU43
            has at most what moves with the lids: they close by a share of the gap that all the rest leaves open.
        recipes: Expression -> action unit -> least and largest strength.
        effort: Least and largest factor of a whole take.
        take_jitter: Standard deviation of one action's factor between takes, both sides alike.
        side_jitter: The same of one side alone.
        smile_shift: Standard deviation of `mouthLeft` or `mouthRight` at full smile between people.
        droop: Zone -> shape -> weight at rest at full droop. Negative weights of the lifting shapes lower, where a
            pulling-down one would also pull inwards.
        contracture: Shape -> weight at rest at full contracture.
        pull: Action unit -> sideways weight of the lips for one unit of strength that one side has more.
        rest_pull: The same at rest for a mouth whose tone is lost on one side.
        bell: Closure -> degrees by which the eyes roll up at full Bell's phenomenon.
        last_part: Power of the missing strength that leaves a slit. Below 1: the last part of a closure takes more
            strength than the first, so a little weakness leaves a slit.
        lines: Group of wrinkles -> action unit -> depth at strength 1.
    """

    mixtures: Mixtures
    recipes: Recipes
    effort: tuple[float, float]
    take_jitter: float
    side_jitter: float
    smile_shift: float
    droop: Mapping[Zone, Weights]
    contracture: Weights
    pull: Weights
    rest_pull: float
    bell: Mapping[Expression, float]
    last_part: float
    lines: Mapping[str, Weights]

    def nominal(self, expression: Expression) -> dict[str, float]:
        """Action unit -> the strength that this expression asks of everyone, the middle of its range."""
        return {unit: (least + largest) / 2 for unit, (least, largest) in self.recipes[expression].items()}


PRIMARY: Mapping[Expression, Mapping[str, float]] = MappingProxyType(
    {
        _E.BROW_RAISE: {"AU1": 0.5, "AU2": 0.5},
        _E.EYES_GENTLE: {"AU43": 1.0},
        _E.EYES_TIGHT: {"AU43": 1.0},
        _E.SMILE_CLOSED: {"AU12": 1.0},
        _E.SMILE_OPEN: {"AU12": 1.0},
        _E.SNARL: {"AU9": 0.6, "AU10": 0.4},
        _E.PUCKER: {"AU18": 0.8, "AU22": 0.2},
        _E.LOWER_TEETH: {"AU16": 0.8, "AU15": 0.2},
    }
)
"""The actions that an expression is asked for, with their shares; what else moves with them is not judged."""

_A = Motion(
    mixtures=MappingProxyType(
        {
            "AU1": {"browInnerUp": 1.0},
            "AU2": {"browOuterUp": 1.0},
            "AU4": {"browDown": 1.0},
            "AU5": {"eyeWide": 1.0},
            "AU6": {"cheekSquint": 0.8, "cheekRaiser": 0.4},
            "AU7": {"eyeSquint": 1.0},
            "AU9": {"noseSneer": 0.75},
            "AU10": {"mouthUpperUp": 0.75},
            "AU12": {"mouthSmile": 1.0},
            "AU14": {"mouthDimple": 1.0},
            "AU15": {"mouthFrown": 1.0},
            "AU16": {"mouthLowerDown": 1.7},
            "AU17": {"mouthShrugLower": 0.7},
            "AU18": {"mouthPucker": 1.0},
            "AU20": {"mouthStretch": 0.8},
            "AU22": {"mouthFunnel": 0.8},
            "AU24": {"mouthPress": 0.8},
            "AU25": {"mouthLowerDown": 0.6, "mouthShrugUpper": 0.35},
            "AU26": {"jawOpen": 1.0},
            "AU28": {"mouthRollUpper": 0.5, "mouthRollLower": 0.5},
        }
    ),
    recipes=MappingProxyType(
        {
            _E.REST: {},
            _E.BROW_RAISE: {"AU1": (0.75, 1.15), "AU2": (0.75, 1.15), "AU5": (0.1, 0.4)},
            _E.EYES_GENTLE: {"AU43": (1.0, 1.0)},
            _E.EYES_TIGHT: {"AU43": (1.0, 1.0), "AU6": (0.5, 0.9), "AU7": (0.4, 0.9), "AU4": (0.3, 0.8)},
            _E.SMILE_CLOSED: {"AU12": (0.55, 0.85), "AU6": (0.1, 0.5), "AU24": (0.1, 0.3)},
            _E.SMILE_OPEN: {"AU12": (0.75, 1.1), "AU6": (0.2, 0.6), "AU25": (0.5, 1.0), "AU26": (0.02, 0.10)},
            _E.SNARL: {"AU9": (0.7, 1.05), "AU10": (0.5, 1.0), "AU4": (0.1, 0.5), "AU7": (0.1, 0.4)},
            _E.PUCKER: {"AU18": (0.7, 1.0), "AU22": (0.1, 0.4)},
            _E.LOWER_TEETH: {
                "AU16": (0.8, 1.15), "AU15": (0.1, 0.35), "AU20": (0.2, 0.6), "AU25": (0.3, 0.6), "AU26": (0.0, 0.04),
            },
        }
    ),
    effort=(0.85, 1.1),
    take_jitter=0.05,
    side_jitter=0.02,
    smile_shift=0.07,
    droop=MappingProxyType(
        {
            Zone.FOREHEAD: {"browOuterUp": -0.60, "browInnerUp": -0.45, "browDown": 0.15},
            Zone.EYE: {"eyeSquint": -0.75, "eyeWide": 0.25, "cheekRaiser": -0.30},
            Zone.MIDFACE: {"noseSneer": -0.14, "mouthUpperUp": -0.12},
            Zone.MOUTH: {"mouthFrown": 0.50, "mouthSmile": -0.22},
        }
    ),
    contracture=MappingProxyType(
        {"eyeSquint": 0.35, "mouthSmile": 0.22, "mouthDimple": 0.15, "noseSneer": 0.06, "browDown": 0.12}
    ),
    pull=MappingProxyType({"AU12": 0.16, "AU20": 0.08, "AU16": 0.06, "AU18": 0.10, "AU10": 0.05, "AU15": 0.05}),
    rest_pull=0.10,
    bell=MappingProxyType({_E.EYES_GENTLE: 14.0, _E.EYES_TIGHT: 26.0}),
    last_part=0.6,
    lines=MappingProxyType(
        {
            "forehead": {"AU1": 0.5, "AU2": 0.5},
            "glabella": {"AU4": 1.0},
            "crow": {"AU6": 0.8, "AU7": 0.2, "AU12": 0.2},
            "nasolabial": {"AU12": 0.9, "AU9": 0.5, "AU10": 0.4},
            "nose": {"AU9": 1.0},
            "chin": {"AU17": 1.0, "AU15": 0.3},
        }
    ),
)  # fmt: skip

_B = Motion(
    mixtures=MappingProxyType(
        {
            "AU1": {"browInnerUp": 1.6, "browDown": -0.2},
            "AU2": {"browOuterUp": 0.38, "browInnerUp": 0.3, "browDown": -0.2, "eyeWide": 0.15},
            "AU4": {"browDown": 0.7, "browInnerUp": -0.25, "noseSneer": 0.08},
            "AU5": {"eyeWide": 0.85},
            "AU6": {"cheekRaiser": 0.55, "eyeSquint": 0.45},
            "AU7": {"eyeSquint": 0.7, "cheekRaiser": 0.25},
            "AU9": {"noseSneer": 0.4, "browDown": 0.6, "cheekRaiser": 0.4},
            "AU10": {"mouthUpperUp": 0.5, "mouthShrugUpper": 0.9, "cheekSquint": 0.35},
            "AU12": {"mouthSmile": 0.58, "mouthDimple": 0.5, "mouthStretch": 0.6},
            "AU14": {"mouthDimple": 0.9, "mouthPress": 0.15},
            "AU15": {"mouthFrown": 0.8, "mouthStretch": 0.2},
            "AU16": {"mouthLowerDown": 1.1, "mouthShrugLower": -0.3, "mouthFrown": 0.3},
            "AU17": {"mouthShrugLower": 0.8},
            "AU18": {"mouthFunnel": 0.5, "mouthPucker": 0.45, "mouthShrugLower": 0.4, "mouthClose": 0.05},
            "AU20": {"mouthStretch": 0.9, "mouthDimple": 0.15},
            "AU22": {"mouthFunnel": 0.7, "mouthPucker": 0.1},
            "AU24": {"mouthPress": 0.6, "mouthRollLower": 0.1},
            "AU25": {"mouthLowerDown": 0.8, "mouthUpperUp": 0.12},
            "AU26": {"jawOpen": 0.9, "jawForward": -0.05},
            "AU28": {"mouthRollUpper": 0.4, "mouthRollLower": 0.6},
            "AU43": {"eyeSquint": 0.45, "cheekRaiser": 0.15, "browDown": 0.15},
        }
    ),
    recipes=MappingProxyType(
        {
            _E.REST: {},
            _E.BROW_RAISE: {"AU1": (0.6, 1.3), "AU2": (0.5, 1.1), "AU5": (0.0, 0.6)},
            _E.EYES_GENTLE: {"AU43": (1.0, 1.0), "AU7": (0.0, 0.2)},
            _E.EYES_TIGHT: {
                "AU43": (1.0, 1.0), "AU6": (0.3, 1.1), "AU7": (0.2, 1.0), "AU4": (0.4, 1.2), "AU9": (0.0, 0.4),
            },
            _E.SMILE_CLOSED: {"AU12": (0.4, 0.95), "AU6": (0.0, 0.6), "AU14": (0.0, 0.5), "AU28": (0.0, 0.5)},
            _E.SMILE_OPEN: {
                "AU12": (0.6, 1.25), "AU6": (0.0, 0.4), "AU10": (0.0, 0.4), "AU14": (0.0, 0.3), "AU25": (0.6, 1.4),
                "AU26": (0.0, 0.12),
            },
            _E.SNARL: {"AU9": (0.5, 1.2), "AU10": (0.6, 1.2), "AU4": (0.1, 0.8), "AU6": (0.0, 0.5)},
            _E.PUCKER: {"AU18": (0.55, 1.1), "AU22": (0.0, 0.2), "AU17": (0.0, 0.4)},
            _E.LOWER_TEETH: {
                "AU16": (0.65, 1.3), "AU15": (0.0, 0.5), "AU20": (0.4, 1.1), "AU25": (0.2, 0.7), "AU26": (0.0, 0.06),
            },
        }
    ),
    effort=(0.75, 1.15),
    take_jitter=0.09,
    side_jitter=0.035,
    smile_shift=0.075,
    droop=MappingProxyType(
        {
            Zone.FOREHEAD: {"browOuterUp": -0.30, "browInnerUp": -0.20, "browDown": 0.60},
            Zone.EYE: {"eyeSquint": -0.45, "eyeWide": 0.70},
            Zone.MIDFACE: {"mouthUpperUp": -0.20, "cheekSquint": -0.25},
            Zone.MOUTH: {"mouthSmile": -0.25, "mouthFrown": 0.30, "mouthDimple": -0.20},
        }
    ),
    contracture=MappingProxyType(
        {"cheekRaiser": 0.45, "eyeSquint": 0.20, "mouthDimple": 0.45, "noseSneer": 0.10, "mouthShrugLower": 0.15}
    ),
    pull=MappingProxyType(
        {"AU12": 0.19, "AU20": 0.05, "AU16": 0.10, "AU18": 0.11, "AU10": 0.09, "AU15": 0.02}
    ),
    rest_pull=0.16,
    bell=MappingProxyType({_E.EYES_GENTLE: 9.0, _E.EYES_TIGHT: 32.0}),
    last_part=0.72,
    lines=MappingProxyType(
        {
            "forehead": {"AU1": 0.75, "AU2": 0.35},
            "glabella": {"AU4": 0.75, "AU9": 0.25},
            "crow": {"AU6": 0.6, "AU7": 0.5, "AU12": 0.1},
            "nasolabial": {"AU12": 0.7, "AU10": 0.65, "AU14": 0.4, "AU9": 0.25},
            "nose": {"AU9": 0.75, "AU10": 0.2},
            "chin": {"AU17": 1.3, "AU16": 0.25, "AU24": 0.3},
        }
    ),
)  # fmt: skip

OWN = "c"
"""The setting in which every person moves in a way of their own, drawn about the motion of `a` (`varied`)."""

MOTIONS: Mapping[str, Motion] = MappingProxyType({"a": _A, "b": _B, OWN: _A})
"""The settings."""
