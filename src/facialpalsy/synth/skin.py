"""Skin: the texture of one synthetic face, painted in the face model's texture space.

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
from facialpalsy.synth.look import Look
from facialpalsy.synth.points import dense_points
from facialpalsy.synth.rasterise import rasterise

Floats = NDArray[np.float32]

SIZE = 512
"""Texels along each side of the texture."""

WRINKLES = ("forehead", "glabella", "crow", "nasolabial", "nose", "chin")
"""Groups of lines that come and go with a muscle."""

CHANNELS = 8
"""Of `paint_skin`: red, green, blue; the slope of the lines in x, y, z; gloss; shade of the lines."""


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
        "inner_lips": _smooth(11.2 - z, 0.0, 0.5) * _bump(x, 0, 2.4) * _bump(y + 3.4, 0, 0.7),
        "cheek": _bump(across, 4.6, 1.6) * _bump(y, 0.2, 1.8),
        "nose": _bump(x, 0, 1.4) * _bump(y, 0.0, 1.2) * _smooth(z, 11.3, 12.6),
        "ear": _smooth(across, 7.3, 8.0) * _smooth(4.0 - z, 0.0, 2.0),
        "socket": _bump(across, 3.1, 1.7) * _bump(y, 3.5, 1.0),
        "nostril": _bump(across, 0.75, 0.45) * _bump(y, -0.95, 0.35) * _smooth(12.2 - z, 0.0, 0.5),
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
    jaw = _smooth(-0.6 - y - 0.55 * (5.2 - across).clip(0, 4), -0.3, 1.2) * _smooth(7.6 - across, 0.0, 0.6)
    sideburn = _bump(across, 7.0, 0.7) * _smooth(3.2 - y, 0, 0.8) * _smooth(z, 2.2, 3.5)
    moustache = _bump(y, -1.95, 0.55) * _smooth(2.7 - across, 0.0, 0.7)
    below = _smooth(y + 9.5, 0, 1.5)
    return np.asarray(np.maximum(np.maximum(jaw, moustache), sideburn * 0.8) * below * _smooth(z, 1.0, 3.0), np.float32)


def _lids(positions: Floats, curves: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Where lashes grow, and the moist rim behind them."""
    from scipy.spatial import cKDTree

    margin = np.concatenate([_dense(curves[name]) for name in curves if name.endswith(("upper_lid", "lower_lid"))])
    distance = cKDTree(margin).query(positions.reshape(-1, 3))[0].reshape(positions.shape[:2])
    eye_centre = np.array([3.19, 3.6, 8.0])
    folded = np.abs(positions[..., 0:1]), positions[..., 1:2], positions[..., 2:3]
    reach = np.linalg.norm(np.concatenate(folded, axis=-1) - eye_centre, axis=-1)
    upper = _smooth(positions[..., 1] - 3.3, -0.2, 0.2)
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
    front = _smooth(z, 2.0, 4.0)
    regions = {
        "forehead": _smooth(y, 6.6, 7.6) * front,
        "glabella": _bump(x, 0, 1.6) * _bump(y, 5.6, 1.5) * front,
        "crow": _bump(across, 6.0, 1.3) * _bump(y, 3.3, 1.6) * front,
        "nasolabial": _bump(across, 3.0, 1.5) * _bump(y, -2.0, 2.4) * front,
        "nose": _bump(across, 0.9, 0.9) * _bump(y, 2.6, 1.5) * front,
        "chin": _bump(x, 0, 2.2) * _bump(y, -6.0, 1.2) * front,
    }
    left = _smooth(x, -1.0, 1.0)
    columns = [regions[name] * share for name in WRINKLES for share in (left, 1 - left)]
    return np.stack(columns, axis=1).astype(np.float32)


def paint_skin(model: FaceModel, look: Look) -> Floats:
    """(SIZE, SIZE, CHANNELS) of one person, seen from outside with the forehead up."""
    maps = skin_maps(model)
    rng = np.random.default_rng(look.seed)
    colour, gloss = _colour(maps, look, rng)
    relief = _relief(maps, rng)
    texture = np.concatenate([colour, _slopes(relief, maps.positions), gloss[..., None], relief[..., None]], axis=-1)
    if look.handed < 0:
        texture = texture[:, ::-1] * np.array([1, 1, 1, -1, 1, 1, 1, 1], np.float32)
    return np.ascontiguousarray(texture, np.float32)


def _colour(maps: SkinMaps, look: Look, rng: np.random.Generator) -> tuple[Floats, Floats]:
    masks = maps.masks
    skin = _rgb(*look.skin)
    shade = 1 + 0.04 * _noise(rng, 8) + 0.025 * _noise(rng, 40) + 0.04 * _noise(rng, 220)
    colour = skin * shade[..., None]
    blood = masks["cheek"] * (0.6 + 0.4 * _noise(rng, 10)) + 0.9 * masks["nose"] + 0.8 * masks["ear"]
    fair = float(np.clip(skin.mean() * 2.2, 0.15, 1))
    colour *= 1 - (0.15 + 0.35 * look.redness) * fair * blood.clip(0, 1)[..., None] * _rgb(0.12, 0.55, 0.5)
    colour *= 1 - (0.10 + 0.20 * look.age) * masks["socket"][..., None] * _rgb(0.8, 1.0, 0.9)
    spots = _smooth(_noise(rng, 160) * 0.6 + _noise(rng, 90) * 0.6, 1.15, 1.6)
    colour *= 1 - (0.55 * look.freckles + 0.3 * look.age) * spots[..., None] * _rgb(0.5, 0.75, 0.85)
    colour *= 1 - _moles(maps.positions, rng)[..., None] * _rgb(0.6, 0.75, 0.8)
    lips = masks["lips"][..., None]
    lines = 1 + 0.10 * _noise(rng, 120)
    colour = colour * (1 - lips) + _rgb(*look.lips) * lines[..., None] * lips
    inner = masks["inner_lips"][..., None]
    colour = colour * (1 - inner) + _rgb(*look.lips) * _rgb(0.75, 0.5, 0.5) * inner
    rim = 0.6 * masks["lid_rim"][..., None]
    colour = colour * (1 - rim) + (0.4 * skin + _rgb(0.25, 0.10, 0.08)) * rim
    colour *= 1 - 0.85 * masks["nostril"][..., None]
    hairs = _brows(maps, look, rng) + _stubble(masks["beard"], look, rng) + 0.85 * masks["lash"]
    hairs = hairs.clip(0, 1)[..., None]
    colour = colour * (1 - hairs) + 0.6 * _rgb(*look.hair) * hairs
    gloss = (0.6 + 0.4 * masks["nose"] + 0.3 * _bump(maps.positions[..., 1], 8.5, 2.5)) * (1 - 0.8 * hairs[..., 0])
    gloss = gloss + 0.9 * masks["lips"] + masks["lid_rim"]
    return np.asarray(colour.clip(0.003, 0.95), np.float32), np.asarray(gloss, np.float32)


def _rgb(red: float, green: float, blue: float) -> Floats:
    """A colour that keeps pictures in single precision."""
    return np.array([red, green, blue], np.float32)


def _moles(positions: Floats, rng: np.random.Generator) -> Floats:
    marks = np.zeros(positions.shape[:2], np.float32)
    for _ in range(int(rng.integers(0, 4))):
        centre = np.array([rng.uniform(-6.5, 6.5), rng.uniform(-7, 9)])
        distance = np.hypot(positions[..., 0] - centre[0], positions[..., 1] - centre[1])
        marks += np.where(positions[..., 2] > 3, _smooth(rng.uniform(0.06, 0.22) - distance, -0.04, 0.04), 0)
    return marks.clip(0, 1)


def _brows(maps: SkinMaps, look: Look, rng: np.random.Generator) -> Floats:
    """Hairs between the lower and the upper edge of each brow, combed outwards and up at its inner end."""
    positions = maps.positions
    x, y = np.abs(positions[..., 0]), positions[..., 1]
    upper, lower = maps.curves["left brow_upper"], maps.curves["left brow_lower"]
    middle, half = (upper + lower) / 2, np.linalg.norm(upper - lower, axis=1) / 2
    order = np.argsort(middle[:, 0])
    at = np.interp(x, middle[order, 0], middle[order, 1])
    place = (x - middle[order[0], 0]) / (middle[order[-1], 0] - middle[order[0], 0])
    thickness = (
        np.interp(x, middle[order, 0], half[order])
        * look.brow_thickness
        * np.interp(place, [0, 0.6, 1], [1, 0.95, 0.35])
    )
    inside = (
        _smooth(thickness - np.abs(y - at), -0.10, 0.10) * _smooth(place, -0.06, 0.06) * _smooth(1 - place, -0.04, 0.06)
    )
    strokes = _comb(positions, rng, turn=np.interp(place, [0, 0.35, 1], [0.9, 0.25, -0.25]).astype(np.float32))
    return np.asarray(
        np.where(positions[..., 2] > 5, inside * look.brow_density * (0.55 + 0.45 * strokes), 0), np.float32
    )


def _comb(positions: Floats, rng: np.random.Generator, turn: Floats) -> Floats:
    """Strands along a direction turned by `turn` radians from horizontal: noise that is long in it, thin across."""
    x, y = np.abs(positions[..., 0]), positions[..., 1]
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    grid = rng.standard_normal((128, 256)).astype(np.float32)
    side = (positions[..., 0] > 0) * 31
    return np.asarray(
        np.tanh(grid[(along * 3).astype(int) % 128, ((across * 22).astype(int) + side) % 256]), np.float32
    )


def _stubble(beard: Floats, look: Look, rng: np.random.Generator) -> Floats:
    patchy = _smooth(beard + 0.12 * _noise(rng, 20), 0.25, 0.6)
    grain = 0.5 + 0.5 * np.tanh(1.5 * _noise(rng, 256))
    return np.asarray(patchy * min(1.0, 1.5 * look.beard) * (0.25 + 0.75 * look.beard * grain), np.float32)


def _relief(maps: SkinMaps, rng: np.random.Generator) -> Floats:
    """Depth of the lines in centimetres, 0 on plain skin and negative in a furrow."""
    x, y, z = (maps.positions[..., k] for k in range(3))
    across, front = np.abs(x), _smooth(z, 2.0, 4.0)
    depth = np.zeros_like(x)
    wave = 0.25 * _noise(rng, 5) + 0.08 * _noise(rng, 16)
    start = rng.uniform(7.2, 7.7)
    for number in range(int(rng.integers(3, 6))):
        height = start + number * rng.uniform(0.75, 1.05) + 0.22 * np.cos(across * rng.uniform(0.6, 1.1)) + 0.35 * wave
        depth -= 0.09 * _ridge(y - height, 0.13) * _smooth(rng.uniform(4.2, 6.0) - across, 0, 1.2)
    for line in (rng.uniform(0.35, 0.6), rng.uniform(0.9, 1.2)):
        depth -= 0.07 * _ridge(across - line - 0.08 * (y - 5.5) + 0.1 * wave, 0.10) * _bump(y, 5.7, 0.9)
    angle, reach = np.arctan2(y - 3.4, across - 4.5), np.hypot(y - 3.4, across - 4.5)
    for direction in (-0.75, -0.35, 0.05, 0.45):
        turned = angle - direction - rng.uniform(-0.1, 0.1) - 0.15 * wave
        depth -= 0.055 * _ridge(turned * reach, 0.09) * _bump(reach, 1.2, 0.65) * (np.abs(turned) < 0.6)
    fold = _at_height(maps.curves["left nasolabial_fold"], y)
    depth -= 0.14 * _ridge(across - fold - 0.06 * wave, 0.20) * _smooth(-0.1 - y, 0, 0.8) * _smooth(y + 4.6, 0, 1.0)
    for line in (0.0, 0.45, 0.9):
        depth -= 0.05 * _ridge(y - 2.1 - line - 0.5 * across + 0.1 * wave, 0.09) * _bump(across, 1.0, 0.5)
    depth -= 0.05 * _bump(x, 0, 1.6) * _bump(y, -6.0, 0.8) * _smooth(_noise(rng, 60), 0.2, 1.0)
    return np.asarray(depth * front, np.float32)


def _at_height(curve: Floats, y: Floats) -> Floats:
    """Distance from the midline of a curve (k, 3) of the left side at each height `y`."""
    order = np.argsort(curve[:, 1])
    return np.asarray(np.interp(y, curve[order, 1], curve[order, 0]), np.float32)


def _slopes(relief: Floats, positions: Floats) -> Floats:
    """(SIZE, SIZE, 3) gradient of the relief along the mean face's axes, per centimetre."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(relief, 0.8)
    dv, du = np.gradient(smooth)
    pv, pu = np.gradient(positions, axis=(0, 1))
    # Least squares on the tangent plane: g = (a pu + b pv) with g.pu = du and g.pv = dv.
    uu, uv, vv = (pu * pu).sum(-1), (pu * pv).sum(-1), (pv * pv).sum(-1)
    determinant = uu * vv - uv * uv
    safe = np.where(determinant > 1e-10, determinant, np.inf)
    a, b = (vv * du - uv * dv) / safe, (uu * dv - uv * du) / safe
    gradient = a[..., None] * pu + b[..., None] * pv
    return np.asarray(gradient.clip(-2, 2), np.float32)


def _noise(rng: np.random.Generator, cells: int) -> Floats:
    """Smooth noise of unit spread with `cells` cells along each side."""
    grid = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32)


def _smooth(value: Floats, low: float, high: float) -> Floats:
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _bump(value: Floats, centre: float, width: float) -> Floats:
    return np.asarray(np.exp(-(((value - centre) / width) ** 2)), np.float32)


def _ridge(value: Floats, width: float) -> Floats:
    return np.asarray(np.exp(-((value / width) ** 2)), np.float32)
