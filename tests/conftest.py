"""A face by formula, in either scheme, and the ways to move and turn it that the tests of several rooms need."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from facialpalsy.face import Landmarks, Scheme, Side

from .stand_in import stand_in, stand_in_recognition  # noqa: F401  fixtures

# The same examples in every run: what fails once fails again.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

SIZE = 300
IOD = 100.0
CENTRE = np.array([150.0, 110.0])

# Face frame of the subject's right (x < 0), in iod: midline points, side points, and curves as functions of 0..1.
MIDLINE_Y = {
    "forehead_top": -0.60, "nasion": -0.10, "bridge_upper": 0.05, "bridge_lower": 0.20, "nose_tip": 0.33,
    "subnasale": 0.46, "upper_lip_mid": 0.62, "upper_lip_inner_mid": 0.68, "lower_lip_inner_mid": 0.72,
    "lower_lip_mid": 0.80, "chin": 1.20,
}  # fmt: skip
POINTS = {
    "outer_canthus": (-0.50, 0.0), "inner_canthus": (-0.18, 0.0), "pupil": (-0.34, -0.01), "commissure": (-0.27, 0.70),
    "inner_commissure": (-0.25, 0.70), "ala": (-0.20, 0.38), "nostril": (-0.15, 0.44),
}  # fmt: skip
CURVES: dict[str, Callable[[float], tuple[float, float]]] = {
    "iris_ring": lambda t: (-0.34 + 0.065 * np.cos(np.pi * 1.5 * t), -0.01 - 0.065 * np.sin(np.pi * 1.5 * t)),
    "contour": lambda t: (-0.78 * np.cos(np.pi / 2 * t), -0.1 + 1.3 * np.sin(np.pi / 2 * t)),
    "nasolabial_fold": lambda t: (-0.20 - 0.22 * t, 0.38 + 0.37 * t),
    "brow_upper": lambda t: (-0.62 + 0.48 * t, -0.17 - 0.32 * t * (1 - t)),
    "brow_lower": lambda t: (-0.60 + 0.48 * t, -0.13 - 0.28 * t * (1 - t)),
    "upper_lid": lambda t: (-0.50 + 0.32 * t, -0.28 * t * (1 - t)),
    "lower_lid": lambda t: (-0.50 + 0.32 * t, 0.20 * t * (1 - t)),
    "upper_lip_outer": lambda t: (-0.27 + 0.27 * t, 0.70 - 0.08 * t),
    "lower_lip_outer": lambda t: (-0.27 + 0.27 * t, 0.70 + 0.10 * t),
    "upper_lip_inner": lambda t: (-0.25 + 0.25 * t, 0.70 - 0.02 * t),
    "lower_lip_inner": lambda t: (-0.25 + 0.25 * t, 0.70 + 0.02 * t),
}


def face(scheme: Scheme, zoom: float = 1) -> Landmarks:
    """Named landmarks by the formulas above, the others on a grid over each half, in a picture of 300 zoom pixels."""
    frame: NDArray[np.float64] = np.zeros((scheme.size, 2))
    for index, twin in enumerate(scheme.mirror):
        frame[index] = (0.0, -0.4 + 1.5 * (index % 17) / 17)
        if index < twin:
            frame[index] = (-0.08 - 0.6 * (index % 11) / 11, -0.4 + 1.3 * (index % 17) / 17)
    right = {index for index, twin in enumerate(scheme.mirror) if index < twin}
    for name, curve in CURVES.items():
        indices = scheme.right_curves.get(name, ())
        for place, index in zip(np.linspace(0, 1, len(indices)), indices, strict=True):
            frame[index] = curve(float(place))
            right = right - {scheme.mirror[index]} | {index}
    for name, index in scheme.right_points.items():
        frame[index] = POINTS[name]
    for name, index in scheme.midline.items():
        frame[index] = (0.0, MIDLINE_Y[name])
    for index in right:
        if scheme.mirror[index] != index:
            frame[scheme.mirror[index]] = frame[index] * (-1, 1)
    # The subject's right is on the left of the picture, so the frame's x runs to the right.
    return Landmarks(scheme, zoom * (CENTRE + IOD * frame), (round(zoom * SIZE), round(zoom * SIZE)))


def moved(landmarks: Landmarks, name: str, side: Side | None, right: float, down: float) -> Landmarks:
    """`landmarks` with one named point or curve shifted by pixels; of a lid, all but the canthi."""
    scheme = landmarks.scheme
    index = scheme.point(name, side)
    if index is not None:
        indices = [index]
    else:
        assert side is not None
        indices = list(scheme.curve(name, side) or ())
        indices = indices[1:-1] if name.endswith("_lid") else indices
    assert indices, name
    shift = np.zeros((scheme.size, 2))
    shift[indices] = (right, down)
    repeats = None if landmarks.repeats is None else landmarks.repeats + shift
    return replace(landmarks, points=landmarks.points + shift, repeats=repeats)


def turned(
    landmarks: Landmarks, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)
) -> Landmarks:
    """The landmarks of a picture turned clockwise as seen, scaled and shifted."""
    angle = np.radians(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    repeats = None if landmarks.repeats is None else landmarks.repeats @ linear.T + shift
    return replace(landmarks, points=landmarks.points @ linear.T + shift, repeats=repeats)


@pytest.fixture(scope="session")
def make_face() -> Callable[..., Landmarks]:
    return face


@pytest.fixture(scope="session")
def move() -> Callable[..., Landmarks]:
    return moved


@pytest.fixture(scope="session")
def turn() -> Callable[..., Landmarks]:
    return turned
