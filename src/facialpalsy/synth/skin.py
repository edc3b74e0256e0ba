"""Skin: the texture of one synthetic face, painted on the maps that every face shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.synth.face_model import FaceModel
from facialpalsy.synth.look import Look
from facialpalsy.synth.skin_maps import SIZE, SkinMaps, bump, skin_maps, smooth_step

Floats = NDArray[np.float32]


def paint_skin(model: FaceModel, look: Look) -> Floats:
    """(SIZE, SIZE, 8) of one person, the forehead up, the subject's right on the left.

    Channels: red, green, blue; slope of the lines along x, y, z; gloss; depth of the lines in centimetres.
    """
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
    spots = smooth_step(_noise(rng, 160) * 0.6 + _noise(rng, 90) * 0.6, 1.15, 1.6)
    colour *= 1 - (0.55 * look.freckles + 0.3 * look.age) * spots[..., None] * _rgb(0.5, 0.75, 0.85)
    colour *= 1 - _moles(maps.positions, rng)[..., None] * _rgb(0.6, 0.75, 0.8)
    lips = masks["lips"][..., None]
    lines = 1 + 0.10 * _noise(rng, 120)
    colour = colour * (1 - lips) + _rgb(*look.lips) * lines[..., None] * lips
    inner = masks["inner_lips"][..., None]
    colour = colour * (1 - inner) + _rgb(*look.lips) * _rgb(0.75, 0.5, 0.5) * inner
    rim = 0.6 * masks["lid_rim"][..., None]
    colour = colour * (1 - rim) + (0.4 * skin + _rgb(0.25, 0.10, 0.08)) * rim
    hairs = _brows(maps, look, rng) + _stubble(masks["beard"], look, rng) + 0.85 * masks["lash"]
    hairs = hairs.clip(0, 1)[..., None]
    colour = colour * (1 - hairs) + 0.6 * _rgb(*look.hair) * hairs
    gloss = (0.6 + 0.4 * masks["nose"] + 0.3 * bump(maps.positions[..., 1], 8.5, 2.5)) * (1 - 0.8 * hairs[..., 0])
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
        marks += np.where(positions[..., 2] > 3, smooth_step(rng.uniform(0.06, 0.22) - distance, -0.04, 0.04), 0)
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
    ends = smooth_step(place, -0.06, 0.06) * smooth_step(1 - place, -0.04, 0.06)
    inside = smooth_step(thickness - np.abs(y - at), -0.10, 0.10) * ends
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
    patchy = smooth_step(beard + 0.12 * _noise(rng, 20), 0.25, 0.6)
    grain = 0.5 + 0.5 * np.tanh(1.5 * _noise(rng, 256))
    return np.asarray(patchy * min(1.0, 1.5 * look.beard) * (0.25 + 0.75 * look.beard * grain), np.float32)


def _relief(maps: SkinMaps, rng: np.random.Generator) -> Floats:
    """Depth of the lines in centimetres, 0 on plain skin and negative in a furrow."""
    x, y, z = (maps.positions[..., k] for k in range(3))
    across, front = np.abs(x), smooth_step(z, 2.0, 4.0)
    depth = np.zeros_like(x)
    wave = 0.25 * _noise(rng, 5) + 0.08 * _noise(rng, 16)
    start = rng.uniform(7.2, 7.7)
    for number in range(int(rng.integers(3, 6))):
        height = start + number * rng.uniform(0.75, 1.05) + 0.22 * np.cos(across * rng.uniform(0.6, 1.1)) + 0.35 * wave
        depth -= 0.09 * bump(y - height, 0, 0.13) * smooth_step(rng.uniform(4.2, 6.0) - across, 0, 1.2)
    for line in (rng.uniform(0.35, 0.6), rng.uniform(0.9, 1.2)):
        depth -= 0.07 * bump(across - line - 0.08 * (y - 5.5) + 0.1 * wave, 0, 0.10) * bump(y, 5.7, 0.9)
    angle, reach = np.arctan2(y - 3.4, across - 4.5), np.hypot(y - 3.4, across - 4.5)
    for direction in (-0.75, -0.35, 0.05, 0.45):
        turned = angle - direction - rng.uniform(-0.1, 0.1) - 0.15 * wave
        depth -= 0.12 * bump(turned * reach, 0, 0.11) * bump(reach, 1.2, 0.65) * (np.abs(turned) < 0.6)
    fold = _at_height(maps.curves["left nasolabial_fold"], y)
    depth -= (
        0.14 * bump(across - fold - 0.06 * wave, 0, 0.20) * smooth_step(-0.1 - y, 0, 0.8) * smooth_step(y + 4.6, 0, 1.0)
    )
    for line in (0.0, 0.45, 0.9):
        depth -= 0.05 * bump(y - 2.1 - line - 0.5 * across + 0.1 * wave, 0, 0.09) * bump(across, 1.0, 0.5)
    depth -= 0.05 * bump(x, 0, 1.6) * bump(y, -6.0, 0.8) * smooth_step(_noise(rng, 60), 0.2, 1.0)
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
