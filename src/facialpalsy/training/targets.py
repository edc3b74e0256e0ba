"""Targets: what else is known of a synthetic patient than the grade, and teaches the network to see.

Every target is a pair (left, right) of the subject's own sides. Its smaller and its larger value are learnt from
numbers that do not change with the mirror, its difference from numbers that change their sign. What is not known is
NaN, and no loss counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facialpalsy.clinical.actions import ACTIONS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.face import Side

Pairs = NDArray[np.float32]

_UNITS = tuple(ACTIONS)
_SEEN = ("brow_to_canthus", "palpebral_fissure_height", "commissure_height")
PHOTO_TARGETS = (*(f"strength_{unit}" for unit in _UNITS), *(f"true_{name}" for name in _SEEN))
"""Of each photo: strength of every action, and three heights in iod."""

_MOVED = ("brow_raise", "snarl", "smile_closed", "smile_open", "pucker", "lower_teeth")
_CLOSED = ("eyes_gentle", "eyes_tight", "rest")
_INVOLUNTARY = ("brow_raise", "eyes_gentle", "eyes_tight", "smile_closed", "smile_open", "snarl", "pucker")
_REST = ("brow", "eye", "mouth")
EXAM_TARGETS = (
    *(f"movement_{name}" for name in _MOVED),
    *(f"fissure_{name}" for name in _CLOSED),
    *(f"synkinesis_{name}" for name in _INVOLUNTARY),
    *(f"rest_z_{name}" for name in _REST),
)
"""Of the whole exam: how far each movement goes, how far the eye closes, synkinesis, and how the face hangs at rest."""

ZONES = tuple(Zone)
COLUMNS = frozenset(
    {f"{name}_{side}" for name in (*PHOTO_TARGETS, *EXAM_TARGETS[:-3]) for side in Side}
    | {f"rest_z_{name}" for name in _REST}
)
"""Labels of a synthetic patient that targets are made of."""

_UNITS_OF_ZONE = [[n for n, unit in enumerate(_UNITS) if ACTIONS[unit].zone is zone] for zone in ZONES]
# Brings heights in iod to the size of the strengths.
_HEIGHT_SCALE = 10.0
# Between no movement and a trace lies a grade, between much and more none; of two sides that move well, the ratio
# matters. So below these values a scale is linear, beyond them logarithmic.
TRACE = 0.1
_CLOSED_IOD = 0.02
_EXAM_LIMITS = (-3.0, 4.0)
# What never varies would be blown up without an addend.
_LEAST_SPREAD = 0.1


def photo_targets(labels: Mapping[str, Any]) -> Pairs:
    """(PHOTO_TARGETS, 2) of one photo."""
    pairs = np.array([_pair(labels, name) for name in PHOTO_TARGETS], np.float32)
    pairs[len(_UNITS) :] *= _HEIGHT_SCALE
    return pairs


def exam_targets(labels: Mapping[str, Any]) -> Pairs:
    """(EXAM_TARGETS, 2) of the exam that a photo with these labels belongs to."""
    moved = [np.arcsinh(np.array(_pair(labels, f"movement_{name}")) / 100 / TRACE) for name in _MOVED]
    closed = [np.arcsinh(np.array(_pair(labels, f"fissure_{name}")) / _CLOSED_IOD) for name in _CLOSED]
    involuntary = [np.arcsinh(np.array(_pair(labels, f"synkinesis_{name}")) / TRACE) for name in _INVOLUNTARY]
    # z of left minus right is a difference already; as a pair it is half of it on each side.
    rest = [np.array([1, -1]) * _number(labels, f"rest_z_{name}") / 6 for name in _REST]
    return np.array([*moved, *closed, *involuntary, *rest], np.float32).clip(*_EXAM_LIMITS)


def heights(photos: Tensor) -> Tensor:
    """(n, 3, 2) brow, fissure and commissure from (n, PHOTO_TARGETS, 2), in tenths of an iod."""
    return photos[:, len(_UNITS) :]


def zone_targets(photos: Tensor) -> Tensor:
    """(n, 4) how differently the two sides move in each zone, 0 to 1, from (n, PHOTO_TARGETS, 2)."""
    difference = (photos[..., 0] - photos[..., 1]).abs()
    return torch.stack([difference[:, units].amax(dim=1) for units in _UNITS_OF_ZONE], dim=1).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class Scale:
    """Constants of the training people that bring targets to comparable spread.

    Attributes:
        photo_mean, photo_spread: (2, PHOTO_TARGETS) of the smaller and of the larger value of each pair.
        photo_difference: (PHOTO_TARGETS,) spread of their differences.
        exam_mean, exam_spread, exam_difference: The same of EXAM_TARGETS.
    """

    photo_mean: Tensor
    photo_spread: Tensor
    photo_difference: Tensor
    exam_mean: Tensor
    exam_spread: Tensor
    exam_difference: Tensor

    @classmethod
    def of(cls, photos: Tensor, exams: Tensor) -> Scale:
        """The scale of (n, PHOTO_TARGETS, 2) and (e, EXAM_TARGETS, 2); 0 and 1 where nothing is known."""
        return cls(*_constants(focused(photos)), *_constants(exams))

    def photo_even(self, photos: Tensor) -> Tensor:
        """(n, 2 * PHOTO_TARGETS) what does not change with the mirror: the smaller values, then the larger ones."""
        return ((_ordered(focused(photos)) - self.photo_mean.to(photos)) / self.photo_spread.to(photos)).flatten(1)

    def photo_odd(self, photos: Tensor) -> Tensor:
        """(n, PHOTO_TARGETS) what changes its sign with the mirror: left minus right."""
        return _difference(focused(photos)) / self.photo_difference.to(photos)

    def exam_even(self, exams: Tensor) -> Tensor:
        """As `photo_even`."""
        return ((_ordered(exams) - self.exam_mean.to(exams)) / self.exam_spread.to(exams)).flatten(1)

    def exam_odd(self, exams: Tensor) -> Tensor:
        """As `photo_odd`."""
        return _difference(exams) / self.exam_difference.to(exams)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}


def focused(photos: Tensor) -> Tensor:
    """(n, PHOTO_TARGETS, 2) with what lies between no movement and a trace drawn apart."""
    return torch.asinh(photos / TRACE)


def _ordered(pairs: Tensor) -> Tensor:
    """(n, 2, targets) smaller and larger value."""
    return torch.stack([pairs.amin(-1), pairs.amax(-1)], 1)


def _difference(pairs: Tensor) -> Tensor:
    return pairs[..., 0] - pairs[..., 1]


def _constants(pairs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    ordered = _ordered(pairs)
    return ordered.nanmean(0).nan_to_num(0), _spread(ordered), _spread(_difference(pairs))


def mirrored_targets(pairs: Tensor) -> Tensor:
    """The targets of the mirrored face."""
    return pairs.flip(-1)


def _spread(values: Tensor) -> Tensor:
    known = values.isfinite().any(0)
    spread = (values - values.nanmean(0)).square().nanmean(0).sqrt() + _LEAST_SPREAD
    return torch.where(known, spread, 1.0)


def _pair(labels: Mapping[str, Any], name: str) -> list[float]:
    return [_number(labels, f"{name}_{side}") for side in Side]


def _number(labels: Mapping[str, Any], name: str) -> float:
    value = labels.get(name)
    return float("nan") if value is None else float(value)


def labels_of(targets: Mapping[str, Any], prefix: str = "synth.") -> dict[str, Any]:
    """The labels of a synthetic patient among the native targets of a sample."""
    return {name.removeprefix(prefix): value for name, value in targets.items() if name.startswith(prefix)}


def joined(pairs: Iterable[Pairs]) -> Tensor:
    """(n, targets, 2) of n photos or exams."""
    return torch.from_numpy(np.stack(list(pairs)))
