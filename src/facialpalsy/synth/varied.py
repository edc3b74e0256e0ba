"""Varied: a motion of its own for each person, drawn about one that was written down.

Whoever trains on one way to smile reads smiles in that direction only, and no clinic has people of one kind. Here every
action keeps its main shapes at other weights and takes in some of its neighbours, other actions join an expression, and
what hangs, contracts and rolls differs too. Which action an expression asks for stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from facialpalsy.clinical.expressions import Expression
from facialpalsy.synth.muscles import Motion, Weights

_NEIGHBOURS = (
    ("browInnerUp", "browOuterUp", "browDown"),
    ("eyeWide", "eyeSquint", "cheekSquint", "cheekRaiser"),
    ("noseSneer", "mouthUpperUp", "mouthShrugUpper", "cheekSquint", "browDown"),
    ("mouthSmile", "mouthDimple", "mouthStretch", "mouthUpperUp"),
    ("mouthFrown", "mouthStretch", "mouthLowerDown", "mouthShrugLower"),
    ("mouthPucker", "mouthFunnel", "mouthPress", "mouthRollUpper", "mouthRollLower", "mouthShrugLower"),
)
"""Shapes that muscles side by side bend; an action may bend others of a group that it has a shape of."""

_JOINING = ("AU4", "AU6", "AU7", "AU9", "AU10", "AU14", "AU17", "AU20", "AU24", "AU28")
_CHANCE, _SPREAD = 0.35, 0.35


def varied(motion: Motion, rng: np.random.Generator) -> Motion:
    """The motion of one person.

    Args:
        motion: What it is drawn about.
        rng: Source of chance.
    """
    mixtures = {unit: _mixture(shapes, rng) for unit, shapes in motion.mixtures.items()}
    mixtures["AU43"] = _some({"eyeSquint": 0.4, "cheekRaiser": 0.2, "browDown": 0.15}, rng)
    return replace(
        motion,
        mixtures=mixtures,
        recipes={expression: _recipe(expression, units, rng) for expression, units in motion.recipes.items()},
        effort=(float(rng.uniform(0.75, 0.9)), float(rng.uniform(1.05, 1.2))),
        take_jitter=float(rng.uniform(0.04, 0.1)),
        side_jitter=float(rng.uniform(0.015, 0.04)),
        droop={zone: _mixture(shapes, rng) for zone, shapes in motion.droop.items()},
        contracture=_mixture(motion.contracture, rng),
        pull=_scattered(motion.pull, rng),
        rest_pull=float(rng.uniform(0.05, 0.2)),
        bell={expression: degrees * _factor(rng) for expression, degrees in motion.bell.items()},
        last_part=float(rng.uniform(0.5, 0.8)),
        lines={group: _scattered(units, rng) for group, units in motion.lines.items()},
    )


def _factor(rng: np.random.Generator) -> float:
    return float(np.exp(rng.normal(0, _SPREAD)))


def _scattered(weights: Weights, rng: np.random.Generator) -> dict[str, float]:
    return {name: weight * _factor(rng) for name, weight in weights.items()}


def _some(weights: Weights, rng: np.random.Generator) -> dict[str, float]:
    """Some of them, or none, and not all of each."""
    return {name: weight * float(rng.random()) for name, weight in weights.items() if rng.random() < 0.5}


def _mixture(shapes: Weights, rng: np.random.Generator) -> dict[str, float]:
    """The same shapes at other weights, and some of their neighbours."""
    mixed = _scattered(shapes, rng)
    if any(name.startswith("jaw") for name in shapes):
        return mixed
    size = max(abs(weight) for weight in shapes.values())
    for group in _NEIGHBOURS:
        for name in group if any(one in group for one in shapes) else ():
            if rng.random() < _CHANCE:
                mixed[name] = mixed.get(name, 0.0) + size * float(rng.uniform(-0.2, 0.6))
    return mixed


def _recipe(
    expression: Expression, units: Mapping[str, tuple[float, float]], rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    recipe = dict(units)
    for unit, (least, most) in units.items():
        if unit != "AU43":
            recipe[unit] = (least * float(rng.uniform(0.6, 1)), most * float(rng.uniform(1, 1.25)))
    if expression is not Expression.REST:
        for unit in _JOINING:
            if unit not in recipe and rng.random() < _CHANCE / 3:
                recipe[unit] = (0.0, float(rng.uniform(0.1, 0.5)))
    return recipe
