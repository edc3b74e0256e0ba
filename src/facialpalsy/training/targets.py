"""Targets: what else is known of a synthetic patient than the grade, and teaches the network to see.

Every target is a pair (left, right) of the subject's own sides. Its mean is learnt from numbers that do not change with
the mirror, its difference from numbers that change their sign. What is not known is NaN, and no loss counts it.
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
# An eye that is almost closed matters more than how far it is open: below this the scale is linear, beyond logarithmic.
_CLOSED_IOD = 0.02
_EXAM_LIMITS = (-3.0, 4.0)


def photo_targets(labels: Mapping[str, Any]) -> Pairs:
    """(PHOTO_TARGETS, 2) of one photo."""
    pairs = np.array([_pair(labels, name) for name in PHOTO_TARGETS], np.float32)
    pairs[len(_UNITS) :] *= _HEIGHT_SCALE
    return pairs


def exam_targets(labels: Mapping[str, Any]) -> Pairs:
    """(EXAM_TARGETS, 2) of the exam that a photo with these labels belongs to."""
    moved = [np.array(_pair(labels, f"movement_{name}")) / 100 for name in _MOVED]
    closed = [np.arcsinh(np.array(_pair(labels, f"fissure_{name}")) / _CLOSED_IOD) for name in _CLOSED]
    involuntary = [_pair(labels, f"synkinesis_{name}") for name in _INVOLUNTARY]
    # z of left minus right is a difference already; as a pair it is half of it on each side.
    rest = [np.array([1, -1]) * _number(labels, f"rest_z_{name}") / 6 for name in _REST]
    return np.array([*moved, *closed, *involuntary, *rest], np.float32).clip(*_EXAM_LIMITS)


def zone_targets(photos: Tensor) -> Tensor:
    """(n, 4) how differently the two sides move in each zone, 0 to 1, from (n, PHOTO_TARGETS, 2)."""
    difference = (photos[..., 0] - photos[..., 1]).abs()
    return torch.stack([difference[:, units].amax(dim=1) for units in _UNITS_OF_ZONE], dim=1).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class Scale:
    """Constants of the training people that bring targets to comparable spread.

    Attributes:
        photo_mean, photo_spread: (PHOTO_TARGETS,) of the means of the two sides.
        photo_difference: (PHOTO_TARGETS,) spread of their differences.
        exam_mean, exam_spread: (EXAM_TARGETS,) of each side.
    """

    photo_mean: Tensor
    photo_spread: Tensor
    photo_difference: Tensor
    exam_mean: Tensor
    exam_spread: Tensor

    @classmethod
    def of(cls, photos: Tensor, exams: Tensor) -> Scale:
        """The scale of (n, PHOTO_TARGETS, 2) and (e, EXAM_TARGETS, 2); 0 and 1 where nothing is known."""
        even, odd, sides = photos.mean(-1), photos[..., 0] - photos[..., 1], exams.transpose(1, 2).flatten(0, 1)
        # What never varies would be blown up without an addend.
        return cls(
            even.nanmean(0).nan_to_num(0),
            _spread(even, 0.1),
            _spread(odd, 0.1),
            sides.nanmean(0).nan_to_num(0),
            _spread(sides, 0.05),
        )

    def photo_even(self, photos: Tensor) -> Tensor:
        """What does not change with the mirror."""
        return (photos.mean(-1) - self.photo_mean.to(photos)) / self.photo_spread.to(photos)

    def photo_odd(self, photos: Tensor) -> Tensor:
        """What changes its sign with the mirror: left minus right."""
        return (photos[..., 0] - photos[..., 1]) / self.photo_difference.to(photos)

    def exam_even(self, exams: Tensor) -> Tensor:
        """As `photo_even`."""
        return (exams.mean(-1) - self.exam_mean.to(exams)) / self.exam_spread.to(exams)

    def exam_odd(self, exams: Tensor) -> Tensor:
        """As `photo_odd`."""
        return (exams[..., 0] - exams[..., 1]) / self.exam_spread.to(exams)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain values, ready for JSON."""
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}


def mirrored_targets(pairs: Tensor) -> Tensor:
    """The targets of the mirrored face."""
    return pairs.flip(-1)


def _spread(values: Tensor, addend: float) -> Tensor:
    known = values.isfinite().any(0)
    spread = (values - values.nanmean(0)).square().nanmean(0).sqrt() + addend
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
