"""AU targets: Gaussian heat maps of which action units are palsied, per unit and side.

Source: the region network of ViTAU (Gao et al. 2025), whose maps are those of FG-Net (Yin et al. 2024, WACV). A unit
stands for palsy of its region (`clinical.actions.PALSY_UNITS`), not for being active. Every unit has two maps, (left,
right) of the subject's own sides, each with one Gaussian about that side's centre: positive where that side is palsied,
negative where it is not. The document's own form has one map per unit with both Gaussians and one sign, which cannot
say which side; it is kept for the document's tables.

Centres, by features of iBUG-68; d is the distance of the inner canthi, and below is further down the picture:

    AU1   medial end of the brow              document; frontalis, medial part
    AU2   lateral end of the brow             document; frontalis, lateral part
    AU4   middle of the brow                  document; the corrugator lies under it
    AU6   d below the middle of the eye       document; the orbital part of orbicularis oculi, on the cheek
    AU9   inner canthus                       document; wrinkles rise beside the root of the nose
    AU12  commissure                          document; zygomaticus major ends there
    AU25  middle of that half of the gap between the lips; the document has the middles of both lips, which have no side
    AU26  lower lip beside its middle         document; it stands for the region of the lower lip, never for the jaw
    AU10  upper lip beside its middle         levator labii superioris ends in it; as FG-Net for BP4D
    AU15  d / 2 below the commissure          depressor anguli oris comes up to the commissure from the jaw below it
    AU16  d / 4 below the centre of AU26       depressor labii inferioris ends in the lip from below
    AU18  middle of that half of the lips     orbicularis oris and the incisive muscles draw that half to the middle
    AU43  middle of the eye                   the lids close over it; palpebral part of orbicularis oculi
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import LabelsError, UsageError, did_you_mean
from facialpalsy.face import Landmarks, Side

DOCUMENT_UNITS = ("AU1", "AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26")
"""The units of the document, in its order."""

SIZE, SIGMA = 128, 20.0
"""Side of the reference's maps in pixels, and the spread of its Gaussians at that size."""

_SIDES = tuple(Side)
MAPS = tuple((unit, side) for unit in PALSY_UNITS for side in _SIDES)
"""What each map is of, once units and sides are one axis."""

MIRRORED_MAPS = tuple(MAPS.index((unit, side.other)) for unit, side in MAPS)
"""Which map of the mirrored face shows each."""

_LEAST = 0.01  # of a Gaussian; below is 0
_PREFIX = "palsy_"

Centres = NDArray[np.float32]
Labels = NDArray[np.float32]


def palsy_labels(labels: Mapping[str, Any]) -> Labels:
    """(PALSY_UNITS, 2) 1 where a unit is palsied, 0 where not, NaN where it is not known.

    Args:
        labels: Column -> value. `palsy_AU12_left` and `palsy_AU12_right` are of the subject's own sides; `palsy_AU12`
            is of either: 0 says both are not palsied, 1 needs a side. None and NaN are not known; columns of other
            names are left alone.

    Raises:
        LabelsError: a value is not 0 or 1, a palsy has no side, a unit or side does not exist, or two columns
            contradict each other.
    """
    either, sided = _read(labels)
    for number in np.flatnonzero((either == 1) & ~(sided == 1).any(axis=1)):
        name = _PREFIX + PALSY_UNITS[number]
        raise LabelsError(
            f"{name} is 1 and says no side; give {name}_left and {name}_right, of the subject's own sides, each 0 or "
            "1, or nothing where it is not known."
        )
    return np.where((either == 0)[:, None], np.float32(0), sided)


def sideless_labels(labels: Mapping[str, Any]) -> Labels:
    """(PALSY_UNITS,) as `palsy_labels`, of the document's form: 1 where either side is palsied, 0 where neither is.

    Raises:
        LabelsError: a value is not 0 or 1, a unit or side does not exist, or two columns contradict each other.
    """
    either, sided = _read(labels)
    either[(sided == 1).any(axis=1)] = 1
    either[(sided == 0).all(axis=1)] = 0
    return either


def unit_centres(landmarks: Landmarks) -> Centres:
    """(PALSY_UNITS, 2, 2) x and y of each unit's centre on the left and right, as shares of the picture.

    Args:
        landmarks: Points of an upright, un-mirrored picture, usually an aligned crop.

    Raises:
        LandmarkFileError: the scheme cannot be brought to iBUG-68.
    """
    face = landmarks.to_ibug68()
    sides = [_centres(face, side) for side in _SIDES]
    return _shares(np.array([[one[unit] for one in sides] for unit in PALSY_UNITS]), landmarks)


def document_centres(landmarks: Landmarks) -> Centres:
    """(PALSY_UNITS, 2, 2) as `unit_centres`, but the two of AU25 are the middles of the upper and the lower lip.

    Raises:
        LandmarkFileError: the scheme cannot be brought to iBUG-68.
    """
    face, centres = landmarks.to_ibug68(), unit_centres(landmarks)
    lips = np.array([_known(face.point(f"{lip}_lip_mid")) for lip in ("upper", "lower")])
    centres[PALSY_UNITS.index("AU25")] = _shares(lips, landmarks)
    return centres


def mirrored_centres(centres: Tensor) -> Tensor:
    """The centres (..., 2, 2) of the mirrored picture."""
    return centres.flip(-2) * centres.new_tensor([-1, 1]) + centres.new_tensor([1, 0])


def heat_maps(centres: Tensor, labels: Tensor, size: int = SIZE, sigma: float = SIGMA) -> Tensor:
    """(..., units, 2, size, size) targets in -1..1, all NaN where the label is.

    Args:
        centres: (..., units, 2, 2) of `unit_centres`.
        labels: (..., units, 2) of `palsy_labels`.
        size: Side of a map.
        sigma: Spread of a Gaussian in pixels of a map of 128; it grows with `size`.

    Raises:
        UsageError: a size or spread is not above 0, or labels do not fit the centres or are not 0 or 1.
    """
    return _signs(labels, centres.shape[:-1]) * _gaussians(centres, size, sigma)


def document_maps(centres: Tensor, labels: Tensor, size: int = SIZE, sigma: float = SIGMA) -> Tensor:
    """(..., units, size, size) targets of the document: both Gaussians with one sign, their sum limited to -1..1.

    Args:
        centres: (..., units, 2, 2) of `document_centres`.
        labels: (..., units) of `sideless_labels`.
        size: As in `heat_maps`.
        sigma: As in `heat_maps`.

    Raises:
        UsageError: as `heat_maps`.
    """
    return (_signs(labels, centres.shape[:-2]) * _gaussians(centres, size, sigma).sum(dim=-3)).clamp(-1, 1)


def _signs(labels: Tensor, shape: torch.Size) -> Tensor:
    if labels.shape != shape:
        raise UsageError(f"The labels have the shape {tuple(labels.shape)}; these centres need {tuple(shape)}.")
    if wrong := labels[labels.isfinite() & (labels != 0) & (labels != 1) | labels.isinf()].tolist():
        raise UsageError(f"A label is {wrong[0]:g}; allowed are 0, 1, and NaN where it is not known.")
    return (2 * labels - 1)[..., None, None]


def _gaussians(centres: Tensor, size: int, sigma: float) -> Tensor:
    if size < 1 or not sigma > 0:
        raise UsageError(f"The maps have the size {size} and the spread {sigma}; give both above 0.")
    places = (torch.arange(size, device=centres.device, dtype=centres.dtype) + 0.5) / size
    across, down = ((-((places - centres[..., axis, None]) * SIZE / sigma).square() / 2).exp() for axis in (0, 1))
    blobs = down.unsqueeze(-1) * across.unsqueeze(-2)
    return blobs.where(blobs >= _LEAST, 0)


def _read(labels: Mapping[str, Any]) -> tuple[Labels, Labels]:
    """(PALSY_UNITS,) of either side and (PALSY_UNITS, 2) of each, as the columns say it."""
    either = np.full(len(PALSY_UNITS), np.nan, np.float32)
    sided = np.full((len(PALSY_UNITS), len(_SIDES)), np.nan, np.float32)
    for name in (name for name in labels if name.startswith(_PREFIX)):
        unit, side = _unit_and_side(name)
        if side is None:
            either[unit] = _value(name, labels[name])
        else:
            sided[unit, side] = _value(name, labels[name])
    wrong = (either == 0) & (sided == 1).any(axis=1) | (either == 1) & (sided == 0).all(axis=1)
    for number in np.flatnonzero(wrong):
        name, (left, right) = _PREFIX + PALSY_UNITS[number], sided[number]
        raise LabelsError(
            f"{name} is {either[number]:g}, but {name}_left is {left:g} and {name}_right {right:g}; correct one of "
            "them."
        )
    return either, sided


def _unit_and_side(name: str) -> tuple[int, int | None]:
    unit, _, side = name.removeprefix(_PREFIX).partition("_")
    if unit not in PALSY_UNITS:
        raise LabelsError(f"{name} names no unit that has a palsy label. {did_you_mean(unit, PALSY_UNITS)}")
    if side and side not in _SIDES:
        raise LabelsError(f"{name} names no side of the subject. {did_you_mean(side, _SIDES)}")
    return PALSY_UNITS.index(unit), _SIDES.index(Side(side)) if side else None


def _value(name: str, value: Any) -> float:
    try:
        found = float("nan") if value is None else float(value)
    except (TypeError, ValueError):
        found = float("inf")
    if not np.isnan(found) and found not in (0, 1):
        raise LabelsError(f"{name} is {value!r}; allowed are 0, 1, or nothing where it is not known.")
    return found


def _centres(face: Landmarks, side: Side) -> dict[str, NDArray[np.float64]]:
    def curve(name: str) -> NDArray[np.float64]:
        return _known(face.curve(name, side))

    brow, upper_lid, lower_lid = curve("brow_upper"), curve("upper_lid"), curve("lower_lid")
    upper_lip, lower_lip = curve("upper_lip_outer"), curve("lower_lip_outer")
    inner, corner = _known(face.point("inner_canthus", side)), _known(face.point("commissure", side))
    # The curves of a lid and of a lip share their ends.
    eye = np.concatenate([upper_lid[:-1], lower_lid[1:]]).mean(axis=0)
    down = np.array([0, np.linalg.norm(inner - _known(face.point("inner_canthus", side.other)))])
    return {
        "AU1": brow[-1],
        "AU2": brow[0],
        "AU4": brow.mean(axis=0),
        "AU6": eye + down,
        "AU9": inner,
        "AU10": upper_lip[-2],
        "AU12": corner,
        "AU15": corner + down / 2,
        "AU16": lower_lip[-2] + down / 4,
        "AU18": np.concatenate([upper_lip[:-1], lower_lip[1:]]).mean(axis=0),
        "AU25": (curve("upper_lip_inner")[1] + curve("lower_lip_inner")[1]) / 2,
        "AU26": lower_lip[-2],
        "AU43": eye,
    }


def _known(points: NDArray[np.float64] | None) -> NDArray[np.float64]:
    assert points is not None  # noqa: S101  iBUG-68 has them all
    return points


def _shares(points: NDArray[np.float64], landmarks: Landmarks) -> Centres:
    return np.asarray(points / np.array(landmarks.image_size), np.float32)
