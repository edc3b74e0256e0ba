"""Simulate: a palsy of known size warped into a real photo, with the displacement of every landmark.

Two uses. `simulate` lets one side of a face hang as a flaccid palsy does at rest, for trying things out and for
teaching; its sizes are a drawing of what clinicians describe (low brow, sagging lower lid, flat fold, drooping corner,
mouth drawn to the other side; reference: Sunnybrook and eFACE resting items), not measurements of patients.
`displace` moves one region one way by a known amount, which is what the recovery benchmark asks a landmark engine to
find again. Nothing is painted: only what the photo shows is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from facialpalsy.errors import UsageError, did_you_mean
from facialpalsy.face import Landmarks, Scheme, Side, face_frame, mirror_landmarks, mirror_picture
from facialpalsy.face.alignment import Picture
from facialpalsy.synth.warp import STRAIN_LIMIT, Array, GaussianWarp, PiecewiseAffineWarp, Warp, largest_amount

Family = Literal["gaussian", "piecewise"]
Profile = Callable[[float], float]


@dataclass(frozen=True)
class Simulation:
    """A warped photo and its truth.

    Attributes:
        picture: (h, w, 3) RGB.
        landmarks: The given landmarks, moved; same scheme, no repeats, `edited`.
        displacement: (n, 2) pixels by which each landmark moved, exact to 1e-9 px.
        side: The subject's own side that was moved.
    """

    picture: Picture
    landmarks: Landmarks
    displacement: Array
    side: Side


def _still(_: float) -> float:
    return 0.0


def _arch(place: float) -> float:
    """0 at both ends, as a lid at the canthi, and 1 over the middle."""
    return min(1.0, 4 * place * (1 - place) / 0.7)


def _fading(place: float) -> float:
    """1 at the first point, 0 at the last, as a lip pulled at its corner."""
    return (1 - place) ** 2


def _growing(place: float) -> float:
    """0 at the first point, 1 at the last, as a lip whose middle is pulled aside."""
    return place**2


def _past_first(place: float) -> float:
    """0 at the first point, 1 soon after it, as a nasolabial fold that hangs from a still ala."""
    return min(1.0, 8 * place)


@dataclass(frozen=True)
class _Pull:
    """How one feature moves, in iod, for an amount of 1; a feature given without a movement is held still.

    Attributes:
        feature: Name of a curve or point of the scheme.
        width: Standard deviation in iod of the Gaussian bumps.
        down: Movement downwards, by the place along a curve: 0 at its first (lateral) and 1 at its last (medial) point;
            a single point has place 0.
        across: Movement towards the other side, likewise.
        healthy_side: Whether the feature is the one of the other side.
    """

    feature: str
    width: float
    down: Profile = _still
    across: Profile = _still
    healthy_side: bool = False


def _hold(width: float, *features: str, healthy_side: bool = False) -> tuple[_Pull, ...]:
    return tuple(_Pull(feature, width, healthy_side=healthy_side) for feature in features)


# Nothing may move the canthi, which define the face frame, nor the corner of the mouth on the other side.
_PINNED = (
    *_hold(0.05, "outer_canthus", "inner_canthus"),
    *_hold(0.05, "outer_canthus", "inner_canthus", healthy_side=True),
    *_hold(0.08, "commissure", healthy_side=True),
)

REGIONS: Mapping[str, tuple[_Pull, ...]] = MappingProxyType(
    {
        "brow": (
            _Pull("brow_upper", 0.10, lambda place: 0.048 * (1 - 0.3 * place)),
            _Pull("brow_lower", 0.10, lambda place: 0.048 * (1 - 0.3 * place)),
            *_hold(0.05, "upper_lid", "pupil", "nasion"),
            *_hold(0.05, "brow_upper", "brow_lower", healthy_side=True),
        ),
        "eye": (
            # Most at the lateral third: below the iris the warp has only the iris to stretch, and that shows.
            _Pull("lower_lid", 0.04, lambda place: 0.034 * _arch(place) * (1 - 1.2 * min(place, 0.5))),
            *_hold(0.04, "pupil", "upper_lid"),
        ),
        "midface": (
            _Pull("ala", 0.06, lambda _: 0.013, lambda _: 0.006),
            _Pull("nasolabial_fold", 0.12, lambda place: 0.013 + 0.022 * place),
            *_hold(0.06, "nose_tip", "subnasale"),
        ),
        "mouth": (
            _Pull("commissure", 0.12, lambda _: 0.070, lambda _: 0.020),
            _Pull("upper_lip_outer", 0.12, lambda place: 0.070 * (1 - place) ** 1.5, lambda _: 0.020),
            _Pull("lower_lip_outer", 0.12, lambda place: 0.070 * (1 - place) ** 1.5, lambda _: 0.020),
            _Pull("upper_lip_outer", 0.12, across=lambda place: 0.020 * place, healthy_side=True),
            _Pull("lower_lip_outer", 0.12, across=lambda place: 0.020 * place, healthy_side=True),
            *_hold(0.08, "ala", "nose_tip", "chin"),
            *_hold(0.08, "ala", healthy_side=True),
        ),
    }
)
"""Region -> how its features move at severity 1; of two entries for one landmark the larger movement counts."""


def _along(profile: Profile, share: float) -> Profile:
    return lambda place: share * profile(place)


def _corner(across: float, down: float) -> tuple[_Pull, ...]:
    """The corner of the mouth and what hangs on it, in one direction."""
    moving = ("commissure", "upper_lip_outer", "lower_lip_outer")
    pulls = (_Pull(feature, 0.09, _along(_fading, down), _along(_fading, across)) for feature in moving)
    return (*pulls, *_hold(0.08, "ala", "contour"))


BENCHMARK_REGIONS: Mapping[str, tuple[_Pull, ...]] = MappingProxyType(
    {
        "brow": (
            _Pull("brow_upper", 0.09, lambda _: 1.0),
            _Pull("brow_lower", 0.09, lambda _: 1.0),
            *_hold(0.05, "upper_lid", "pupil", "nasion", "forehead_top", "contour"),
            *_hold(0.05, "brow_upper", "brow_lower", healthy_side=True),
        ),
        "lid": (
            _Pull("upper_lid", 0.04, _arch),
            *_hold(0.04, "lower_lid", "brow_lower"),
        ),
        "corner": _corner(0.0, 1.0),
        "ala": (
            _Pull("ala", 0.06, lambda _: 1.0),
            *_hold(0.06, "nose_tip", "subnasale", "upper_lip_mid"),
            *_hold(0.06, "ala", healthy_side=True),
        ),
        "corner_out": _corner(-0.8, -0.6),
        "corner_in": _corner(1.0, 0.0),
        "upper_lip": (
            _Pull("upper_lip_outer", 0.07, _along(_arch, -1.0)),
            *_hold(0.07, "lower_lip_outer", "ala", "subnasale"),
            *_hold(0.07, "upper_lip_outer", healthy_side=True),
        ),
        "lower_lip": (
            _Pull("lower_lip_outer", 0.07, _arch),
            *_hold(0.07, "upper_lip_outer", "chin", "contour"),
            *_hold(0.07, "lower_lip_outer", healthy_side=True),
        ),
        "fold": (
            _Pull("nasolabial_fold", 0.09, _along(_past_first, -0.6), _along(_past_first, -0.8)),
            *_hold(0.08, "commissure", "contour"),
        ),
        "philtrum": (
            _Pull("upper_lip_outer", 0.07, across=_growing),
            _Pull("upper_lip_outer", 0.07, across=_growing, healthy_side=True),
            *_hold(0.08, "commissure", "nose_tip"),
        ),
    }
)
"""Region -> how its features move for an amount of 1 iod."""

# No landmark of a face that is seen from the front is farther from its eyes, in iod.
_FARTHEST = 4.0
# Bumps closer than this share of their width would need huge weights of opposite sign, which ripples the skin.
_APART = 0.7
# The piecewise family is held still on this ellipse round the face: centre and radii in the face frame, in iod.
_RING_CENTRE, _RING_RADII, _RING_POINTS = (0.0, 0.35), (1.1, 1.25), 16


def simulate(
    picture: Picture, landmarks: Landmarks, *, side: Side, severity: float, regions: Sequence[str]
) -> Simulation:
    """Let one side of a face hang as in a flaccid palsy at rest.

    Args:
        picture: (h, w, 3) RGB, 8 bit.
        landmarks: Points of that picture.
        side: The subject's own palsied side.
        severity: 0 (the same picture) to 1.
        regions: Any of brow, eye, midface, mouth.

    Raises:
        UsageError: a value is not allowed, or this face would fold; the message says the largest severity possible.
    """
    if not 0 <= severity <= 1:
        raise UsageError(f"The severity {severity:g} is not allowed; give a number from 0 (unchanged) to 1 (complete).")
    if not regions:
        raise UsageError(f"No region was named; name at least one of {', '.join(REGIONS)}.")
    chosen = {region: _region(region, REGIONS) for region in regions}
    pulls = [pull for region in REGIONS if region in chosen for pull in chosen[region]]
    return _warp(picture, landmarks, side, pulls, severity, "gaussian", "severity")


def displace(
    picture: Picture, landmarks: Landmarks, *, side: Side, region: str, amount_iod: float, family: Family
) -> Simulation:
    """Move one region of one side one way by a known amount.

    brow, lid (the upper one), corner, ala and lower_lip go down, upper_lip up, corner_out and fold outwards and up as
    in a smile, corner_in inwards as in a pucker, philtrum towards the other side. The amount is exact where the region
    is measured: the upper brow edge, the middle of the upper lid, the oral commissure, the ala, the points of the fold,
    the middle of the lip's border; the middle of a lip half lies between points, and on some faces moves a tenth more
    or less than asked.

    Args:
        picture: (h, w, 3) RGB, 8 bit.
        landmarks: Points of that picture.
        side: The subject's own side.
        region: A key of `BENCHMARK_REGIONS`.
        amount_iod: Displacement in iod; negative moves the opposite way.
        family: Gaussian bumps, or one affine map per triangle.

    Raises:
        UsageError: a value is not allowed, or this face would fold; the message says the largest amount possible.
    """
    if not -1 <= amount_iod <= 1:
        raise UsageError(f"The amount {amount_iod:g} iod is not allowed; give a number from -1 to 1.")
    pulls = _region(region, BENCHMARK_REGIONS)
    return _warp(picture, landmarks, side, pulls, amount_iod, family, "amount in iod")


def _region(name: str, regions: Mapping[str, tuple[_Pull, ...]]) -> tuple[_Pull, ...]:
    if name not in regions:
        raise UsageError(f"Unknown region {name!r}. {did_you_mean(name, regions)}")
    return regions[name]


def _warp(
    picture: Picture,
    landmarks: Landmarks,
    side: Side,
    pulls: Sequence[_Pull],
    amount: float,
    family: Family,
    word: str,
) -> Simulation:
    height, width = picture.shape[:2]
    if landmarks.image_size != (width, height):
        raise UsageError(
            f"The landmarks belong to a picture of {landmarks.image_size[0]} x {landmarks.image_size[1]} pixels, but "
            f"this one has {width} x {height}; give the landmarks of this picture."
        )
    if side is Side.LEFT:
        # Worked out on the subject's right only, so that mirrored input gives exactly mirrored output.
        mirrored = mirror_picture(picture), mirror_landmarks(landmarks)
        twin = _warp(*mirrored, Side.RIGHT, pulls, amount, family, word)
        warped = np.array(mirror_picture(twin.picture))
        displacement = twin.displacement[list(landmarks.scheme.mirror)] * np.array([-1, 1])
    else:
        controls = _Controls.of(landmarks, pulls)
        warp = controls.warp(amount, family)
        if warp.strain >= STRAIN_LIMIT:
            largest = largest_amount(lambda less: controls.warp(less, family), amount)
            raise UsageError(
                f"The {word} {amount:g} would stretch this face until it folds; the largest possible here is "
                f"{largest:g}."
            )
        warped = warp.apply(picture)
        displacement = warp.forward(landmarks.points) - landmarks.points
    moved = replace(landmarks.single(landmarks.points + displacement), edited=True)
    return Simulation(picture=warped, landmarks=moved, displacement=displacement, side=side)


@dataclass(frozen=True)
class _Controls:
    """Landmarks that steer a warp.

    Attributes:
        points: (k, 2) pixels.
        unit: (k, 2) pixels by which they move for an amount of 1.
        widths: (k,) pixels.
        ring: (r, 2) pixels round the face that never move.
    """

    points: Array
    unit: Array
    widths: Array
    ring: Array

    @classmethod
    def of(cls, landmarks: Landmarks, pulls: Sequence[_Pull]) -> _Controls:
        """The controls of `pulls` for the subject's right side."""
        frame = face_frame(landmarks)
        if np.abs(frame.to_frame(landmarks.points)).max() > _FARTHEST:
            raise UsageError(
                f"A landmark lies more than {_FARTHEST:g} eye distances from the eyes, so the points do not form a "
                "frontal face; check them."
            )
        held = {index: (0.0, 0.0, pull.width) for pull in _PINNED for index in _indices(landmarks.scheme, pull)}
        moves: dict[int, tuple[float, float, float]] = {}
        for pull in pulls:
            indices = _indices(landmarks.scheme, pull)
            for index, place in zip(indices, _places(landmarks.points[list(indices)]), strict=True):
                move = (pull.across(place), pull.down(place), pull.width)
                if index not in held and np.hypot(*move[:2]) >= np.hypot(*moves.get(index, move)[:2]):
                    moves[index] = move
        # The order is that of importance: see `_apart`.
        chosen = held | dict(sorted(moves.items(), key=lambda item: -float(np.hypot(*item[1][:2]))))
        table = np.array(list(chosen.values()))
        angles = np.arange(_RING_POINTS) * 2 * np.pi / _RING_POINTS
        ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * _RING_RADII + _RING_CENTRE
        return cls(
            points=landmarks.points[list(chosen)],
            unit=frame.to_pixels(table[:, :2]) - frame.origin,
            widths=table[:, 2] * frame.iod,
            ring=frame.to_pixels(ring),
        )

    def warp(self, amount: float, family: Family) -> Warp:
        """The warp of one family that moves the controls by `amount` units."""
        if family == "gaussian":
            apart = self._apart()
            return GaussianWarp(self.points[apart], amount * self.unit[apart], self.widths[apart])
        still = np.zeros_like(self.ring)
        return PiecewiseAffineWarp(np.vstack([self.points, self.ring]), np.vstack([amount * self.unit, still]))

    def _apart(self) -> list[int]:
        """Controls far enough apart for bumps of their widths; pinned ones are kept first, then the largest movers."""
        kept: list[int] = []
        for index, point in enumerate(self.points):
            distance = np.hypot(*(self.points[kept] - point).T)
            if np.all(distance >= _APART * np.maximum(self.widths[kept], self.widths[index])):
                kept.append(index)
        return kept


def _indices(scheme: Scheme, pull: _Pull) -> tuple[int, ...]:
    """Landmarks of a feature on the side the pull names; none where the scheme has no such feature."""
    side = Side.LEFT if pull.healthy_side else Side.RIGHT
    curve = scheme.curve(pull.feature, side)
    if curve is not None:
        return curve
    sided = scheme.point(pull.feature, side)
    index = sided if sided is not None else scheme.point(pull.feature)
    return () if index is None else (index,)


def _places(curve: Array) -> list[float]:
    """Where each point of a curve (m, 2) lies along its chord: 0 at the first, 1 at the last; 0 for a single point."""
    chord = curve[-1:] - curve[:1] if len(curve) else curve
    length = float((chord**2).sum())
    if length == 0:
        return [0.0] * len(curve)
    return [float(place) for place in np.clip(((curve - curve[0]) * chord).sum(axis=1) / length, 0, 1)]
