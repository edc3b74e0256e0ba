"""Points: which vertex of the face model each landmark is, and where its brows and eyeballs lie.

The 68 vertices of the iBUG mark-up are those that ICT-FaceKit's own README names. The dense ones were chosen once, by
`benchmarks/dense_points.py`: along the edges of the mesh between the 68, at equal lengths of the way. Vertex numbers
are those of `FaceModel`; on the skin they equal the archive's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.side import Side

IBUG68_VERTICES = (
    *(1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443),
    *(268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509),
    *(978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360),
    *(1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732),
    *(5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841),
    *(5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966),
)
_FOREHEAD_TOP = 8396
# In the order of the dense scheme: upper lid, lower lid, brow upper and lower edge, upper and lower lip outer, upper
# and lower lip inner, ala, nasolabial fold, pupil, iris ring.
_RIGHT = (
    *(1545, 1543, 1541, 1990, 1537, 1535, 1533),
    *(1508, 1510, 1512, 1514, 1517, 1519, 709),
    *(286, 295, 1914, 1418, 2038),
    *(269, 1011, 1975, 1917, 1414, 1995, 2003),
    *(5601, 5610, 5720, 5769, 2069),
    *(5795, 5826, 5870, 5957, 5881),
    *(5579, 5606, 5657, 5712, 6023),
    *(5802, 5847, 5867, 5952, 5880),
    4852,
    *(1137, 65, 463, 170, 164),
    22221,
    *(22718, 22703, 22750, 22735, 22711, 22758, 22741, 22726),
)
_LEFT = (
    *(3759, 3757, 3755, 4190, 3751, 3749, 3747),
    *(3722, 3724, 3726, 3728, 3731, 3733, 2950),
    *(2527, 2536, 4114, 3632, 4234),
    *(2510, 3231, 4175, 4117, 3628, 4195, 4203),
    *(6106, 6115, 6225, 6274, 4263),
    *(6300, 6331, 6375, 6461, 6386),
    *(6084, 6111, 6162, 6217, 6527),
    *(6307, 6352, 6372, 6456, 6385),
    5311,
    *(3357, 2306, 2704, 2411, 2405),
    21451,
    *(21948, 21933, 21980, 21965, 21941, 21988, 21971, 21956),
)

EYE_CENTRE_RIGHT_CM = (-3.1133, 3.6061, 7.9339)
"""Centre of the sphere that fits the subject's right eyeball of the mean face, cornea left out."""

_EYEBALL_SPREAD_CM = 1.51024
"""Root mean square distance of an eyeball's vertices from their mean, on the mean face."""

IRIS_RADIUS_CM = 0.585
"""Half of the 11.7 mm that a visible iris is wide."""


@dataclass(frozen=True)
class Eyeball:
    """One eyeball of the mesh.

    Attributes:
        vertices: First vertex and the one behind the last; all between belong to it and to nothing else.
        apex: Vertex in the middle of the iris.
        iris: The eight vertices on the edge of the iris: medial, top, lateral, bottom, and those between them.
        centre_offset: (3,) centimetres from the mean of its vertices to where it turns about, on the mean face.
    """

    vertices: tuple[int, int]
    apex: int
    iris: tuple[int, ...]
    centre_offset: tuple[float, float, float]

    def size(self, vertices: NDArray[np.float32]) -> float:
        """Its size in a face (n, 3), 1 for the mean face's: people's eyeballs differ by about 6 %."""
        ball = vertices[self.vertices[0] : self.vertices[1]]
        return float(np.sqrt(np.square(ball - ball.mean(axis=0)).sum(axis=1).mean()) / _EYEBALL_SPREAD_CM)

    def centre(self, vertices: NDArray[np.float32]) -> NDArray[np.float64]:
        """(3,) where it turns about, in a face (n, 3)."""
        ball = vertices[self.vertices[0] : self.vertices[1]]
        return np.asarray(ball.mean(axis=0, dtype=np.float64) + self.size(vertices) * np.array(self.centre_offset))

    def axis(self, vertices: NDArray[np.float32]) -> NDArray[np.float64]:
        """(3,) unit vector through the middle of the iris, where it looks."""
        away = vertices[list(self.iris)].mean(axis=0, dtype=np.float64) - self.centre(vertices)
        return np.asarray(away / np.linalg.norm(away))


_EYEBALLS = {
    Side.LEFT: Eyeball((21451, 22221), _LEFT[52], _LEFT[53:], (-0.0799, -0.0111, -0.4967)),
    Side.RIGHT: Eyeball((22221, 22991), _RIGHT[52], _RIGHT[53:], (0.0799, -0.0111, -0.4967)),
}


def eyeballs() -> dict[Side, Eyeball]:
    """Both eyeballs of the face model."""
    return dict(_EYEBALLS)


def dense_points() -> tuple[int, ...]:
    """The vertex of each point of the scheme `DENSE`, in its order; the first 68 are those of `ibug68`."""
    return (*IBUG68_VERTICES, _FOREHEAD_TOP, *_RIGHT, *_LEFT)
