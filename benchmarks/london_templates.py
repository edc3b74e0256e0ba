"""London templates: 189 points that people placed by hand on each photo at rest, as points of the dense scheme.

A template has its own points along the lids, brows and lips, so a point of ours is moved to the nearest place of the
same line; where both mean one place (canthi, corners and middles of the lips, pupils) it is that place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from facialpalsy.face import DENSE, Side

Points = NDArray[np.float64]

LINES: Mapping[str, Mapping[Side, Sequence[int]]] = {
    "upper_lid": {Side.RIGHT: (18, 19, 20, 21, 22), Side.LEFT: (27, 26, 25, 24, 23)},
    "lower_lid": {Side.RIGHT: (18, 28, 29, 30, 22), Side.LEFT: (27, 33, 32, 31, 23)},
    "brow_upper": {Side.RIGHT: (71, 72, 73, 74, 75), Side.LEFT: (82, 81, 80, 79, 78)},
    "brow_lower": {Side.RIGHT: (71, 83, 84, 76), Side.LEFT: (82, 86, 85, 77)},
    "upper_lip_outer": {Side.RIGHT: (87, 88, 89, 90), Side.LEFT: (93, 92, 91, 90)},
    "lower_lip_outer": {Side.RIGHT: (87, 104, 105, 106), Side.LEFT: (93, 108, 107, 106)},
    "upper_lip_inner": {Side.RIGHT: (87, 94, 95, 96), Side.LEFT: (93, 98, 97, 96)},
    "lower_lip_inner": {Side.RIGHT: (87, 99, 100, 101), Side.LEFT: (93, 103, 102, 101)},
    "ala": {Side.RIGHT: (61, 62, 63, 64), Side.LEFT: (66, 67, 68, 69)},
    "nasolabial_fold": {Side.RIGHT: (158, 159, 160), Side.LEFT: (161, 162, 163)},
}
"""Points of the template along each line."""

ALONG: Mapping[str, Sequence[int]] = {
    "upper_lid": (37, 38, *range(69, 76)),
    "lower_lid": (40, 41, *range(76, 83)),
    "brow_upper": (17, *range(83, 88), 21),
    "brow_lower": range(88, 95),
    "upper_lip_outer": (49, 50, *range(95, 100)),
    "lower_lip_outer": (58, 59, *range(100, 105)),
    "upper_lip_inner": (61, *range(105, 110)),
    "lower_lip_inner": (67, *range(110, 115)),
    "ala": (115, 116),
    "nasolabial_fold": (117, 118, 119),
}
"""Points of ours on the subject's right that lie on each line."""

PLACES: Mapping[Side, Mapping[int, int]] = {
    Side.RIGHT: {36: 18, 39: 22, 48: 87, 121: 0},
    Side.LEFT: {45: 27, 42: 23, 54: 93, 182: 1},
}
MIDDLE: Mapping[int, int] = {51: 90, 57: 106, 62: 96, 66: 101}
"""Points of ours -> point of the template at the same place."""

FOLLOWING: Mapping[int, int] = {18: 83, 19: 85, 20: 87, 60: 48, 120: 119, **dict.fromkeys(range(122, 130), 121)}
"""Points of ours on the subject's right that lie on no line -> the one that they are moved along with."""

_FINE = 400


def template_of(photo: Path) -> Points | None:
    """(189, 2) pixels of the photo; None for one without a template."""
    path = photo.with_suffix(".tem")
    if not path.exists():
        return None
    # Templates belong to photos of twice the size.
    return np.array([line.split() for line in path.read_text().splitlines()[1:190]], float) / 2


def placed_by_hand(points: Points, template: Points) -> Points:
    """(DENSE, 2) pixels found in a photo, each moved to where its template has it; others stay."""
    found = points.copy()
    for side in Side:
        mine = np.arange(DENSE.size) if side is Side.RIGHT else np.array(DENSE.mirror)
        for one, there in PLACES[side].items():
            found[one] = template[there]
        for name, numbers in ALONG.items():
            line = _line(template[list(LINES[name][side])])
            along = mine[list(numbers)]
            apart = np.linalg.norm(points[along][:, None] - line, axis=2)
            found[along] = line[apart.argmin(axis=1)]
        for one, other in FOLLOWING.items():
            found[mine[one]] += (found - points)[mine[other]]
    for one, there in MIDDLE.items():
        found[one] = template[there]
    return found


def _line(points: Points) -> Points:
    """(_FINE, 2) along the smooth line through points."""
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    return np.asarray(CubicSpline(along, points)(np.linspace(0, along[-1], _FINE)))
