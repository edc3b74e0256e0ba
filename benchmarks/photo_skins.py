"""Photo skins: the skin, brows and lips of people's photos on the heads of synthetic ones, whose points are exact.

The rendered skin is painted by rules, and a network that is to find points on real faces should see real ones. A photo
is laid on the texture by its points, at which it meets those of the mean face seen from before, so that edges of brows,
lips and lids lie where the face model has its own; the skin then moves with every expression and palsy of the model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from facialpalsy.face import DENSE, Landmarks, Side
from facialpalsy.face.alignment import Picture
from facialpalsy.face.patches import IRIS
from facialpalsy.synth.face_model import FaceModel
from facialpalsy.synth.look import linear
from facialpalsy.synth.points import dense_points
from facialpalsy.synth.pose import pose_face
from facialpalsy.synth.render import render
from facialpalsy.synth.shot import Shot
from facialpalsy.synth.sitter import Sitter, seat
from facialpalsy.synth.skin_maps import skin_maps, smooth_step

LASHES = 0.012
"""How far beyond the lids, in outer-canthus distances, a photo shows lashes and no skin."""

SMOOTH, FLAT = 40, (0.2, 0.9)
"""Texels over which light is even, and how much of its falling off towards the sides is taken out."""

BRIGHTER, TINT, BRIGHTNESS = 0.35, 0.06, (0.08, 0.6)
"""Standard deviations of the logarithm of brightness and colour, and what brightness may come to."""

FLATTER = (1, 1, 1, 0.4, 0.4, 0.4, 0.5, 0.6)
"""Of the painted texture's lines and gloss this much stays where the photo has its own."""

_LUMA = (0.3, 0.6, 0.1)
_IRISES = frozenset((*IRIS, *(DENSE.mirror[one] for one in IRIS)))

Floats = NDArray[np.float32]


class PhotoSkin(NamedTuple):
    """A photo on the texture of the face model.

    Attributes:
        light: (rows, columns, 3) linear light.
        counts: (rows, columns) from 0, where the painted skin stays, to 1.
    """

    light: Floats
    counts: Floats

    def mirrored(self) -> PhotoSkin:
        """The skin of the mirror image."""
        return PhotoSkin(self.light[:, ::-1], self.counts[:, ::-1])


def skin_of(model: FaceModel, picture: Picture, points: NDArray[np.float64]) -> PhotoSkin:
    """The skin of a face seen from before, whose (DENSE, 2) points are known."""
    positions = skin_maps(model).positions
    across, y, z = abs(positions[..., 0]), positions[..., 1], positions[..., 2]
    fixed = [one for one in range(DENSE.size) if one not in _IRISES]
    on_face = model.neutral[np.array(dense_points())[fixed], :2].astype(float)
    to_photo = RBFInterpolator(on_face, points[fixed], kernel="thin_plate_spline", smoothing=1e-3)
    front = (z > 2.5) & (across < 8)
    there = np.zeros((*front.shape, 2))
    there[front] = to_photo(positions[front][:, :2].astype(float))
    light = linear(np.float32(picture) / 255)
    # Behind a shut lid is skin: the nearest there is.
    rows, columns = distance_transform_edt(_eyes(picture, points), return_distances=False, return_indices=True)
    light = light[rows, columns]
    laid = [
        map_coordinates(light[..., k], [there[..., 1] - 0.5, there[..., 0] - 0.5], order=1, mode="nearest")
        for k in range(3)
    ]
    inside = front & ((there > 2) & (there < np.array(picture.shape[1::-1]) - 3)).all(axis=2)
    # Not the hair at the temples, the hairline, the sides that a photo from before shows foreshortened, the neck.
    sides = smooth_step(6.4 - across - 0.5 * (y - 4).clip(0), 0, 1) * smooth_step(z, 4.5, 6.5)
    counts = sides * smooth_step(9.0 - y, 0, 0.8) * smooth_step(y + 8.2, 0, 1) * inside
    return PhotoSkin(np.float32(np.stack(laid, axis=2)), np.float32(counts))


def wearing(model: FaceModel, shot: Shot, skin: PhotoSkin, random: np.random.Generator) -> Sitter:
    """The person of a shot, with the skin of a photo in another brightness and colour, or its mirror image."""
    light, counts = skin if random.random() < 0.5 else skin.mirrored()
    face = counts > 0.9
    usual = np.median(light[face], axis=0)
    bright = float(usual @ _LUMA)
    wanted = np.clip(bright * np.exp(random.normal(0, BRIGHTER)), *BRIGHTNESS)
    gain = wanted / bright * np.exp(random.normal(0, TINT, 3))
    shade = gaussian_filter(light.mean(axis=2), SMOOTH)
    even = (shade[face].mean() / shade.clip(1e-3)) ** random.uniform(*FLAT)
    red, green, blue = np.clip(usual * gain, 0.004, 0.95).tolist()
    look = replace(shot.look, skin=(red, green, blue), beard=0.0, freckles=0.0)
    sitter = seat(model, look, shot.patient.neutral(model))
    painted, part = sitter.texture, counts[..., None]
    texture = painted * (1 + part * (np.float32(FLATTER) - 1))
    texture[..., :3] += part * ((light * gain * even[..., None]).clip(0.003, 0.95) - painted[..., :3])
    return replace(sitter, texture=np.ascontiguousarray(texture, np.float32))


def photographed(model: FaceModel, shot: Shot, sitter: Sitter, side: int) -> tuple[Picture, Landmarks]:
    """The picture of a shot, `side` pixels wide and high, and its true points."""
    face = pose_face(model, shot.patient, shot.take)
    frame = render(model, sitter, face, shot.scene, side)
    points = frame.camera.project(face.vertices[list(dense_points())])
    return frame.pixels, Landmarks(DENSE, points[:, :2], (side, side))


def _eyes(picture: Picture, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the photo shows eyes and lashes."""
    mask = Image.new("1", picture.shape[1::-1])
    iod = float(np.linalg.norm(points[36] - points[45]))
    for side in Side:
        upper, lower = (points[list(DENSE.curve(lid, side) or ())] for lid in ("upper_lid", "lower_lid"))
        ring = np.concatenate([upper, lower[::-1]])
        away = ring - ring.mean(axis=0)
        ring = ring + LASHES * iod * away / np.linalg.norm(away, axis=1, keepdims=True)
        ImageDraw.Draw(mask).polygon([(x, y) for x, y in ring.tolist()], fill=1)
    return np.asarray(mask)
