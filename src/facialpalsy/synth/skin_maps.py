"""Skin maps: where on the face each texel of skin lies, and what grows and folds there; the same for everyone.

Every texel knows where it lies on the mean face, so brows, lips, lines and beard are drawn in centimetres on that face
and follow every identity and every expression. The mean face's axes: x to the subject's left, y up, z out of the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from facialpalsy.face.schemes import DENSE
from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.points import dense_points
from facialpalsy.synth.rasterise import rasterise

Floats = NDArray[np.float32]

SIZE = 512
"""Texels along each side of the texture."""

WRINKLES = ("forehead", "glabella", "crow", "nasolabial", "nose", "chin")
"""Groups of lines that come and go with a muscle."""


@dataclass(frozen=True, eq=False)
class SkinMaps:
    """What every face shares.

    Attributes:
        positions: (SIZE, SIZE, 3) centimetres on the mean face.
        curves: `left brow_upper` and so on: (k, 3) on the mean face.
        masks: Name -> (SIZE, SIZE) from 0 to 1.
        vertex_wrinkles: (n, len(WRINKLES) * 2) how much of each group, on the left and on the right, each vertex takes.
    """

    positions: Floats
    curves: dict[str, Floats]
    masks: dict[str, Floats]
    vertex_wrinkles: Floats


@cache
def skin_maps(model: FaceModel) -> SkinMaps:
    """The maps of the face model, made once in a process."""
    positions, curves = _position_map(model), _curves(model)
    return SkinMaps(positions, curves, _masks(positions, curves), _vertex_wrinkles(model.neutral))


def _curves(model: FaceModel) -> dict[str, Floats]:
    """Every curve of the dense scheme on the mean face, and each lip's outer contour from corner to corner."""
    points = model.neutral[list(dense_points())]
    curves = {
        f"{side} {name}": points[list(DENSE.curve(name, side) or ())] for side in Side for name in DENSE.right_curves
    }
    for lip in ("upper_lip_outer", "lower_lip_outer"):
        curves[lip] = np.concatenate([curves[f"right {lip}"], curves[f"left {lip}"][-2::-1]])
    return curves


def _position_map(model: FaceModel) -> Floats:
    """Positions on the mean face, by drawing its triangles into the texture."""
    from scipy.ndimage import distance_transform_edt

    skin = model.parts == Part.SKIN
    uv = model.uv[skin].reshape(-1, 2)
    corners = model.neutral[model.triangles[skin]].reshape(-1, 3)
    triangles = np.arange(len(uv), dtype=np.int32).reshape(-1, 3)
    screen = np.column_stack([uv[:, 0] * SIZE, (1 - uv[:, 1]) * SIZE, np.ones(len(uv))]).astype(np.float32)
    depth = np.full((SIZE, SIZE), np.inf, np.float32)
    owner = np.full((SIZE, SIZE), -1, np.int32)
    weights = np.zeros((SIZE, SIZE, 2), np.float32)
    a, b, c = (screen[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    triangles[area > 0] = triangles[area > 0][:, ::-1]
    rasterise(screen, triangles, depth, owner, weights, 0)
    found = corners[triangles[owner.clip(0)]]
    shares = np.concatenate([1 - weights.sum(-1, keepdims=True), weights], axis=-1)
    positions = (found * shares[..., None]).sum(axis=2)
    nearest = distance_transform_edt(owner < 0, return_distances=False, return_indices=True)
    filled = positions[nearest[0], nearest[1]]
    # The texture is symmetric; rounding is not.
    return np.asarray((filled + filled[:, ::-1] * np.array([-1, 1, 1])) / 2, np.float32)


def _masks(positions: Floats, curves: dict[str, Floats]) -> dict[str, Floats]:
    x, y, z = (positions[..., k] for k in range(3))
    across = np.abs(x)
    masks = {
        "lips": _lips(positions, curves),
        "inner_lips": smooth_step(11.2 - z, 0.0, 0.5) * bump(x, 0, 2.4) * bump(y + 3.4, 0, 0.7),
        "cheek": bump(across, 4.6, 1.6) * bump(y, 0.2, 1.8),
        "nose": bump(x, 0, 1.4) * bump(y, 0.0, 1.2) * smooth_step(z, 11.3, 12.6),
        "ear": smooth_step(across, 7.3, 8.0) * smooth_step(4.0 - z, 0.0, 2.0),
        "socket": bump(across, 3.1, 1.7) * bump(y, 3.5, 1.0),
    }
    masks["beard"] = _beard(x, y, z) * (1 - masks["lips"])
    masks["lash"], masks["lid_rim"] = _lids(positions, curves)
    return masks


def _lips(positions: Floats, curves: dict[str, Floats]) -> Floats:
    """Inside the outer contour of the lips, soft at its edge."""
    contour = np.concatenate([curves["upper_lip_outer"], curves["lower_lip_outer"][::-1]])[:, :2]
    scale, origin = 100.0, np.array([4.0, 6.5])
    canvas = Image.new("L", (800, 500), 0)
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in ((contour + origin) * scale).tolist()], fill=255)
    drawn = np.asarray(canvas.filter(ImageFilter.GaussianBlur(8)), np.float32) / 255
    column = np.clip(((positions[..., 0] + origin[0]) * scale).astype(int), 0, 799)
    row = np.clip(((positions[..., 1] + origin[1]) * scale).astype(int), 0, 499)
    near = (positions[..., 2] > 8.5) & (np.abs(positions[..., 0]) < 3.9) & (positions[..., 1] > -6.4)
    near &= positions[..., 1] < -1.6
    symmetric = (drawn[row, column] + drawn[row, np.clip(799 - column, 0, 799)]) / 2
    return np.asarray(np.where(near, symmetric, 0), np.float32)


def _beard(x: Floats, y: Floats, z: Floats) -> Floats:
    across = np.abs(x)
    jaw = smooth_step(-0.6 - y - 0.55 * (5.2 - across).clip(0, 4), -0.3, 1.2) * smooth_step(7.6 - across, 0.0, 0.6)
    sideburn = bump(across, 7.0, 0.7) * smooth_step(3.2 - y, 0, 0.8) * smooth_step(z, 2.2, 3.5)
    moustache = bump(y, -1.95, 0.55) * smooth_step(2.7 - across, 0.0, 0.7)
    below = smooth_step(y + 9.5, 0, 1.5)
    return np.asarray(
        np.maximum(np.maximum(jaw, moustache), sideburn * 0.8) * below * smooth_step(z, 1.0, 3.0), np.float32
    )


def _lids(positions: Floats, curves: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Where lashes grow, and the moist rim behind them."""
    from scipy.spatial import cKDTree

    margin = np.concatenate([_dense(curves[name]) for name in curves if name.endswith(("upper_lid", "lower_lid"))])
    distance = cKDTree(margin).query(positions.reshape(-1, 3))[0].reshape(positions.shape[:2])
    eye_centre = np.array([3.19, 3.6, 8.0])
    folded = np.abs(positions[..., 0:1]), positions[..., 1:2], positions[..., 2:3]
    reach = np.linalg.norm(np.concatenate(folded, axis=-1) - eye_centre, axis=-1)
    upper = smooth_step(positions[..., 1] - 3.3, -0.2, 0.2)
    lash = np.exp(-((distance / 0.075) ** 2)) * (0.35 + 0.65 * upper)
    rim = np.exp(-((distance / 0.16) ** 2)) * (reach < 1.62)
    return np.asarray(lash, np.float32), np.asarray(rim, np.float32)


def _dense(curve: Floats, step: int = 8) -> Floats:
    t = np.linspace(0, len(curve) - 1, (len(curve) - 1) * step + 1)
    return np.stack([np.interp(t, np.arange(len(curve)), curve[:, k]) for k in range(3)], axis=1).astype(np.float32)


def _vertex_wrinkles(neutral: Floats) -> Floats:
    """(n, groups * 2): the region of each group, split into left and right by a smooth midline."""
    x, y, z = neutral.T
    across = np.abs(x)
    front = smooth_step(z, 2.0, 4.0)
    regions = {
        "forehead": smooth_step(y, 6.6, 7.6) * front,
        "glabella": bump(x, 0, 1.6) * bump(y, 5.6, 1.5) * front,
        "crow": bump(across, 6.0, 1.3) * bump(y, 3.3, 1.6) * front,
        "nasolabial": bump(across, 3.0, 1.5) * bump(y, -2.0, 2.4) * front,
        "nose": bump(across, 0.9, 0.9) * bump(y, 2.6, 1.5) * front,
        "chin": bump(x, 0, 2.2) * bump(y, -6.0, 1.2) * front,
    }
    left = smooth_step(x, -1.0, 1.0)
    columns = [regions[name] * share for name in WRINKLES for share in (left, 1 - left)]
    return np.stack(columns, axis=1).astype(np.float32)


def smooth_step(value: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def bump(value: Floats, centre: float, width: float) -> Floats:
    """1 at the centre, falling off as a Gaussian."""
    return np.asarray(np.exp(-(((value - centre) / width) ** 2)), np.float32)
