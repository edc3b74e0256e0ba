"""Patches: parts of one half of the face, cut out at a fixed place of its frame, the left half flipped.

One network sees the patches of both sides then, and finds the points of the subject's right in each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.face.alignment import FaceFrame, Picture, resampled
from facialpalsy.face.schemes import DENSE
from facialpalsy.face.side import Side

PIXELS_PER_IOD = 144.0
"""Pixels of a patch that are as long as the outer canthi are apart."""


@dataclass(frozen=True)
class Patch:
    """Where a patch lies and which points lie in it.

    Attributes:
        nearest: Where it starts, outwards from the midline in iod.
        top: Where it starts, down from the canthi in iod.
        columns: Its width in pixels.
        rows: Its height in pixels.
        pairs: Points of `DENSE` on the subject's right; those of the left patch are their mirror points.
        middle: Points of `DENSE` on the midline, which lie in both.
    """

    nearest: float
    top: float
    columns: int
    rows: int
    pairs: tuple[int, ...]
    middle: tuple[int, ...] = ()

    def matrix(self, frame: FaceFrame, side: Side) -> NDArray[np.float64]:
        """(2, 3) from pixels of a picture to pixels of the patch of one side, whose midline is on the patch's right."""
        scale = PIXELS_PER_IOD / frame.iod
        linear = scale * np.stack([-side.sign * frame.u, frame.n])
        corner = np.array([self.columns + self.nearest * PIXELS_PER_IOD, -self.top * PIXELS_PER_IOD])
        return np.column_stack([linear, corner - linear @ frame.origin])

    def cut(self, picture: Image.Image, frame: FaceFrame, side: Side) -> Picture:
        """The (rows, columns, 3) patch of one side; beyond the picture it is black."""
        # Bilinear, as the networks saw them in training.
        return resampled(picture, self.matrix(frame, side), (self.columns, self.rows), Image.Resampling.BILINEAR)

    def points_on(self, side: Side) -> tuple[int, ...]:
        """Points of `DENSE` in the patch of one side, those of a pair first."""
        mine = self.pairs if side is Side.RIGHT else tuple(DENSE.mirror[one] for one in self.pairs)
        return (*mine, *self.middle)


IRIS = range(121, 130)
"""Points of `DENSE` on the subject's right: the pupil, then all around the edge of the iris."""

EYE = Patch(0.04, -0.53, 112, 96, (*range(17, 22), *range(36, 42), *range(69, 95), *IRIS))
"""Brow, lids and iris."""

MOUTH = Patch(-0.16, 0.15, 96, 144, (31, 32, 48, 49, 50, 58, 59, 60, 61, 67, *range(95, 121)), (30, 33, 51, 57, 62, 66))
"""Half of nose and lips, with the ala and the nasolabial fold."""
