"""A face drawn from round numbers, its two sides unlike, so that every measure can be worked out by hand.

Frame coordinates in iod: x towards the subject's left, y downwards. The left lid is ptotic (below the pupil), the
left corner is raised, the chin lies to the subject's right and the philtrum to the left. In the picture the frame
is level, its unit 200 px, its origin (300, 220); the picture is 600 px wide.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facialpalsy.clinical.norms import ExpressionNorms, Norms
from facialpalsy.face import Landmarks, Scheme, Side
from facialpalsy.measure import Measure, panel

IOD_PX = 200.0
ORIGIN = np.array([300.0, 220.0])
WIDTH = 600

MIDLINE = {
    "forehead_top": (0, -0.7), "nasion": (0, -0.1), "bridge_upper": (0, 0.05), "bridge_lower": (0, 0.2),
    "nose_tip": (0, 0.3), "subnasale": (0, 0.45), "upper_lip_mid": (0.04, 0.60), "lower_lip_mid": (0, 0.85),
    "upper_lip_inner_mid": (0, 0.66), "lower_lip_inner_mid": (0, 0.74), "chin": (-0.03, 1.20),
}  # fmt: skip
POINTS = {  # name -> (right, left)
    "outer_canthus": ((-0.50, 0), (0.50, 0)),
    "inner_canthus": ((-0.20, 0), (0.20, 0)),
    "pupil": ((-0.30, -0.02), (0.30, -0.02)),
    "commissure": ((-0.24, 0.78), (0.24, 0.67)),
    "inner_commissure": ((-0.16, 0.78), (0.20, 0.67)),
    "nostril": ((-0.10, 0.44), (0.10, 0.44)),
    "ala": ((-0.15, 0.38), (0.16, 0.40)),
}
LINES = {  # curve -> straight from its first to its last point (right, left)
    "brow_upper": (((-0.60, -0.16), (-0.10, -0.26)), ((0.60, -0.10), (0.10, -0.20))),
    "nasolabial_fold": (((-0.15, 0.38), (-0.30, 0.58)), ((0.16, 0.40), (0.36, 0.60))),
}
LIPS = {  # curve -> (point at its corner, point on the midline)
    "upper_lip_outer": ("commissure", "upper_lip_mid"),
    "lower_lip_outer": ("commissure", "lower_lip_mid"),
    "upper_lip_inner": ("inner_commissure", "upper_lip_inner_mid"),
    "lower_lip_inner": ("inner_commissure", "lower_lip_inner_mid"),
}
LIDS = {"upper_lid": (-0.05, 0.01), "lower_lid": (0.05, 0.06)}  # y of all points between the canthi (right, left)
IRIS_RADIUS = 0.06  # 24 px across


def known_face(
    scheme: Scheme,
    *,
    midline: Mapping[str, tuple[float, float]] = {},
    points: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {},
    lids: Mapping[str, tuple[float, float]] = {},
    iris_px: tuple[float, float] = (24, 24),
) -> Landmarks:
    """The face above, with what the arguments change; `iris_px` are its iris widths (right, left)."""
    midline, points, lids = {**MIDLINE, **midline}, {**POINTS, **points}, {**LIDS, **lids}
    frame: NDArray[np.float64] = np.zeros((scheme.size, 2))
    for number, side in enumerate((Side.RIGHT, Side.LEFT)):
        for name, line in LINES.items():
            _draw(frame, scheme.curve(name, side), *line[number])
        for name, ends in points.items():
            index = scheme.point(name, side)
            if index is not None:
                frame[index] = ends[number]
        for name, (corner, middle) in LIPS.items():
            _draw(frame, scheme.curve(name, side), points[corner][number], midline[middle])
        for name, heights in lids.items():
            curve = list(scheme.curve(name, side))
            _draw(frame, curve, points["outer_canthus"][number], points["inner_canthus"][number])
            frame[curve[1:-1], 1] = heights[number]
        ring = scheme.curve("iris_ring", side)
        if ring is not None:
            x, y = points["pupil"][number]
            r = iris_px[number] / 2 / IOD_PX
            medial = -side.sign * r
            frame[list(ring)] = [(x + medial, y), (x, y - r), (x - medial, y), (x, y + r)]
    for name, place in midline.items():
        index = scheme.point(name)
        if index is not None:
            frame[index] = place
    return Landmarks(scheme, ORIGIN + IOD_PX * frame, (WIDTH, 500))


def _draw(frame, indices, start, end):
    if indices is not None:
        frame[list(indices)] = np.linspace(start, end, len(indices))


def _by_name(landmarks: Landmarks, **options) -> dict[str, Measure]:
    return {measure.name: measure for measure in panel(landmarks, **options)}


def _repeated(landmarks: Landmarks, name: str, side: Side | None, offsets, axis: int = 1) -> Landmarks:
    """Repeats in which one point or curve lies at `offsets` (pixels) around its place."""
    index = landmarks.scheme.point(name, side)
    indices = [index] if index is not None else list(landmarks.scheme.curve(name, side))
    repeats = np.repeat(landmarks.points[None], len(offsets), axis=0)
    repeats[:, indices, axis] += np.asarray(offsets, dtype=float)[:, None]
    return replace(landmarks, points=repeats.mean(axis=0), repeats=repeats)


@pytest.fixture(scope="session")
def known() -> Callable[..., Landmarks]:
    return known_face


@pytest.fixture(scope="session")
def measured() -> Callable[..., dict[str, Measure]]:
    return _by_name


@pytest.fixture(scope="session")
def repeated() -> Callable[..., Landmarks]:
    return _repeated


@pytest.fixture
def make_norms() -> Callable[..., Norms]:
    """Norms of one expression for hand-placed points ("file"), as the landmarks of these tests have them."""

    def make(scheme: Scheme, expression: str = "rest", **spreads: Mapping[str, float]) -> Norms:
        table = {expression: ExpressionNorms(people=20, **spreads)}
        return Norms("hand-made", "file", scheme.name, "nobody", None, table)

    return make
