"""Lashes: painted along the upper lids of rendered faces, whose eyes have none; they hide where a real lid ends.

Up from open eyes, down over the lower lid from shut ones, as dark, long and many as chance has it, some with eyeliner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from facialpalsy.face import DENSE, FaceFrame, Landmarks, Side, face_frame
from facialpalsy.face.alignment import Picture

_ZOOM = 3
"""They are painted on a picture so much larger, and shrunk with it: Pillow's lines have hard edges."""

_UPPER, _LOWER = (36, *range(69, 76), 39), (36, *range(76, 83), 39)
# Opening of an eye in iod at which lashes point up, and from which on down they begin to turn.
_OPEN, _TURNING = 0.10, 0.07


def with_lashes(picture: Picture, landmarks: Landmarks, random: np.random.Generator) -> Picture:
    """The picture with lashes on both eyes; the same state of `random` gives any photo of a person the same lashes."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture).resize((width * _ZOOM, height * _ZOOM), Image.Resampling.BICUBIC)
    draw, frame = ImageDraw.Draw(image, "RGBA"), face_frame(landmarks)
    colour = (*(int(one) for one in random.integers(0, 45, 3)), int(random.integers(120, 255)))
    # From a few that hardly show to mascara, a dark band.
    count, wide, length = int(12 * 10 ** random.uniform(0, 1)), int(random.integers(1, 5)), random.uniform(0.02, 0.08)
    liner = int(random.integers(2, 9)) if random.random() < 0.5 else 0
    below = random.random() < 0.5
    for side in Side:
        upper, lower = (
            frame.to_frame(landmarks.points[[one if side is Side.RIGHT else DENSE.mirror[one] for one in line]])
            for line in (_UPPER, _LOWER)
        )
        if liner:
            draw.line(_drawn(upper[:-1], frame), fill=colour, width=liner, joint="curve")
        opening = float((lower - upper)[4, 1])
        down = float(np.clip((_OPEN - opening) / _TURNING, 0, 1))
        strokes = _strokes(upper, down, count, length, random)
        if below:
            strokes += _strokes(lower, 1.0, count // 2, length / 2, random)
        for stroke in strokes:
            draw.line(_drawn(stroke, frame), fill=colour, width=wide, joint="curve")
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def _strokes(
    lid: NDArray[np.float64], down: float, count: int, length: float, random: np.random.Generator
) -> list[NDArray[np.float64]]:
    """(3, 2) bent lines in the face frame, from the outer canthus inwards; up where `down` is 0, down where it is 1."""
    outwards = (lid[0] - lid[-1]) / np.linalg.norm(lid[0] - lid[-1])
    numbers, strokes = np.arange(len(lid)), []
    for along in np.linspace(0.04, 0.9, count) + random.normal(size=count) * 0.01:
        root = np.array([np.interp(along * numbers[-1], numbers, one) for one in lid.T])
        way = np.array([0.0, 2 * down - 1]) + outwards * (0.9 - 1.4 * along)
        # Half shut, lashes point at the camera and look short.
        far = length * (1 - 0.4 * along) * random.uniform(0.7, 1.2) * (0.55 + 0.45 * abs(1 - 2 * down))
        tip = root + way / np.linalg.norm(way) * far
        bend = np.array([0.0, 0.12 * length * (1 - down)])
        strokes.append(np.stack([root, (root + tip) / 2 + bend, tip]))
    return strokes


def _drawn(line: NDArray[np.float64], frame: FaceFrame) -> list[tuple[float, ...]]:
    return [tuple(point) for point in frame.to_pixels(line) * _ZOOM]
