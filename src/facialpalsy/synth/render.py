"""Render: a posed face, dressed and lit, as a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.look import Look
from facialpalsy.synth.materials import CLOTH, HAIR, Surface
from facialpalsy.synth.patient import Face
from facialpalsy.synth.points import IRIS_RADIUS_CM, eyeballs
from facialpalsy.synth.rasterise import rasterise, rasterise_hair, vertex_normals
from facialpalsy.synth.scene import Camera, Scene
from facialpalsy.synth.shade import SHADOW_HALF_CM, SHADOW_SIZE, Lighting, expose, lit_vertices, shade
from facialpalsy.synth.skin import WRINKLES, paint_skin, skin_maps
from facialpalsy.synth.worn import LENS, worn_meshes

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

PIXELS = 256
"""Side of a picture."""

_SUPERSAMPLING = 2
_SNAP = 1024
_NECKLINE_CM = -12.4
# Sine of the angle by which a triangle may face away on the mean face and still be drawn.
_BACK = 0.6
# Places whose shelter changes with every movement have one value.
_SHELTER = {Part.EYE: 0.75, Part.TEETH: 0.6, Part.MOUTH: 0.35}


@dataclass(frozen=True, eq=False)
class Sitter:
    """One person's texture and meshes, made once and used for every picture of the person.

    Attributes:
        look: What the person looks like.
        texture: From `paint_skin`.
        triangles, parts, uv: Of the face and everything worn except lenses.
        source: (m,) number of each triangle in the face model, -1 for what is worn.
        mean_face: (n + w, 3) all vertices on the mean face.
        shelter: (n + w,) how much of the surroundings each vertex sees.
        worn: (w, 3) vertices of what is worn, on this person's head.
        casting: (c, 3) triangles that throw shadows: head and hair.
        hair: First and last triangle of the hair.
        cut, strand: Of the hair, per vertex of all.
        lenses: (k, 3) triangles of lenses over all vertices, empty without glasses.
    """

    look: Look
    texture: Floats
    triangles: Ints
    parts: NDArray[np.uint8]
    uv: Floats
    source: Ints
    mean_face: Floats
    shelter: Floats
    worn: Floats
    casting: Ints
    hair: tuple[int, int]
    cut: Floats
    strand: Floats
    lenses: Ints


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture and how it came about.

    Attributes:
        pixels: (PIXELS, PIXELS, 3) sRGB.
        stored: The picture's file: JPEG, or PNG where the scene does not compress; decoded it is `pixels`.
        camera: Its camera, which projects any vertex.
        depth: (2 PIXELS, 2 PIXELS) distance in centimetres of what is seen, infinite where nothing is.
        owner: (2 PIXELS, 2 PIXELS) triangle of the sitter that is seen, -1 where none is.
    """

    pixels: NDArray[np.uint8]
    stored: bytes
    camera: Camera
    depth: Floats
    owner: Ints


def seat(model: FaceModel, look: Look, identity: Floats) -> Sitter:
    """Paint and dress one person. Args: `identity` (n, 3), the face at rest without palsy."""
    # The model's own shoulders are dressed.
    centre = model.neutral[model.triangles].mean(axis=1)
    below = centre[:, 1] < _NECKLINE_CM + 0.8 * np.maximum(0, np.abs(centre[:, 0]) - 5.5)
    below &= model.parts == Part.HEAD
    ahead = _faces_ahead(model.neutral, model.triangles)
    triangles = [model.triangles[ahead]]
    parts = [np.where(below, CLOTH, model.parts).astype(np.uint8)[ahead]]
    start, count = len(model.neutral), int(ahead.sum())
    vertices, cut, strand = [], [np.full(start, -9, np.float32)], [np.zeros(start, np.float32)]
    hair, lenses = (0, 0), np.zeros((0, 3), np.int32)
    for mesh in worn_meshes(model, look):
        shown = (
            mesh.triangles if look.hair_style == "long" else mesh.triangles[_faces_ahead(mesh.vertices, mesh.triangles)]
        )
        shifted = shown + start
        vertices.append(mesh.vertices)
        cut.append(mesh.cut)
        strand.append(mesh.strand)
        start += len(mesh.vertices)
        if mesh.part == LENS:
            lenses = np.ascontiguousarray(shifted, np.int32)
            continue
        if mesh.part == HAIR:
            hair = (count, count + len(shifted))
        triangles.append(shifted)
        parts.append(np.full(len(shifted), mesh.part, np.uint8))
        count += len(shifted)
    on_mean, all_parts = np.concatenate(vertices), np.concatenate(parts)
    all_triangles = np.ascontiguousarray(np.concatenate(triangles), np.int32)
    uv = np.zeros((len(all_triangles), 3, 2), np.float32)
    uv[: len(triangles[0])] = model.uv[ahead]
    source = np.full(len(all_triangles), -1, np.int32)
    source[: len(triangles[0])] = np.flatnonzero(ahead)
    return Sitter(
        look=look,
        texture=paint_skin(model, look),
        triangles=all_triangles,
        parts=all_parts,
        uv=uv,
        source=source,
        mean_face=np.concatenate([model.neutral, on_mean]).astype(np.float32),
        shelter=np.concatenate([_shelter(model), np.full(len(on_mean), 0.8, np.float32)]),
        worn=_fitted(model, on_mean, identity),
        casting=np.ascontiguousarray(all_triangles[all_parts < CLOTH]),
        hair=hair,
        cut=np.concatenate(cut),
        strand=np.concatenate(strand)[:, None],
        lenses=lenses,
    )


def _faces_ahead(vertices: Floats, triangles: Ints) -> NDArray[np.bool_]:
    """Which triangles a camera before the face can ever see: those at the back of the head are left out."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    return np.asarray(normal[:, 2] > -_BACK * np.linalg.norm(normal, axis=1))


def _fitted(model: FaceModel, worn: Floats, identity: Floats) -> Floats:
    """What is worn, moved as the head below it differs from the mean one, by the nearest places of the head."""
    from scipy.spatial import cKDTree

    firm = np.unique(model.triangles[(model.parts == Part.SKIN) | (model.parts == Part.HEAD)])
    firm = firm[np.abs(model.neutral[firm][:, 1] - 3) < 14]
    distance, nearest = cKDTree(model.neutral[firm]).query(worn, k=12)
    weight = 1 / (distance + 0.5) ** 2
    moved = (identity - model.neutral)[firm[nearest]]
    return np.asarray(worn + (moved * weight[..., None]).sum(1) / weight.sum(1)[:, None], np.float32)


@cache
def _shelter(model: FaceModel) -> Floats:
    """Ambient occlusion of the mean face at rest: the cosine-weighted share of 64 directions that see each vertex."""
    normals = vertex_normals(model.neutral, model.triangles)
    seen, possible = np.zeros(len(normals)), np.full(len(normals), 1e-6)
    golden = np.pi * (3 - np.sqrt(5))
    for k in range(64):
        y = 1 - (k + 0.5) / 64 * 1.6
        direction = np.array([np.sqrt(1 - y * y) * np.sin(golden * k), y, np.sqrt(1 - y * y) * np.cos(golden * k)])
        axes = _light_axes(direction)
        placed = model.neutral @ axes.T.astype(np.float32)
        buffer = _shadow_map(placed, model.triangles)
        column = ((placed[:, 0] / SHADOW_HALF_CM + 1) * 0.5 * SHADOW_SIZE).astype(int).clip(0, SHADOW_SIZE - 1)
        row = ((1 - placed[:, 1] / SHADOW_HALF_CM) * 0.5 * SHADOW_SIZE).astype(int).clip(0, SHADOW_SIZE - 1)
        cosine = (normals @ direction).clip(0)
        seen += cosine * (-placed[:, 2] < buffer[row, column] + 0.35)
        possible += cosine
    share = seen / possible
    for part, fixed in _SHELTER.items():
        share[np.unique(model.triangles[model.parts == part])] = fixed
    return np.asarray((share + share[model.mirror]) / 2, np.float32)


def _light_axes(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rows: right and up as seen from the light, and towards the light."""
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= np.linalg.norm(right) + 1e-12
    return np.stack([right, np.cross(direction, right), direction])


def _shadow_map(placed: Floats, triangles: Ints) -> Floats:
    """(SHADOW_SIZE, SHADOW_SIZE) how far behind the origin the first surface lies, as seen from the light."""
    scale = 0.5 * SHADOW_SIZE / SHADOW_HALF_CM
    middle = 0.5 * SHADOW_SIZE
    # The rasteriser takes distances above zero.
    screen = np.stack([middle + scale * placed[:, 0], middle - scale * placed[:, 1], 100 - placed[:, 2]], 1)
    buffer = np.full((SHADOW_SIZE, SHADOW_SIZE), np.inf, np.float32)
    owner = np.empty((SHADOW_SIZE, SHADOW_SIZE), np.int32)
    weights = np.empty((SHADOW_SIZE, SHADOW_SIZE, 2), np.float32)
    rasterise(screen.astype(np.float32), triangles, buffer, owner, weights, 0)
    return buffer - np.float32(100)


def render(model: FaceModel, sitter: Sitter, face: Face, scene: Scene) -> Frame:
    """One picture of a sitter. The same arguments give the same pixels on any number of threads."""
    vertices = np.concatenate([face.vertices, sitter.worn])
    camera = Camera.of(scene, _HEAD_CENTRE, PIXELS)
    depth, owner, weights = _visible(sitter, camera, vertices)
    rotation = camera.rotation
    world = ((vertices - camera.centre) @ rotation.T).astype(np.float32)
    axes = _light_axes(scene.key)
    shadow = _shadow_map((world @ axes.T).astype(np.float32), sitter.casting)
    look = sitter.look
    surface = Surface(
        triangles=sitter.triangles,
        parts=sitter.parts,
        uv=sitter.uv,
        lit=lit_vertices(
            vertex_normals(world, sitter.triangles),
            sitter.shelter,
            _wrinkle_strength(model, face, look, len(vertices)),
            scene.ambient.astype(np.float32),
        ),
        mean_face=sitter.mean_face,
        strand=sitter.strand,
        texture=sitter.texture,
        rotation=rotation.astype(np.float32),
        colours=np.array([look.skin, look.hair, look.cloth, look.glasses or (0, 0, 0), look.iris], np.float32),
        eyes=_eyes(model),
        shine=scene.shine,
        pupil=look.pupil * IRIS_RADIUS_CM,
        handed=look.handed,
    )
    middle_x, middle_y = (_SUPERSAMPLING * along for along in camera.middle)
    lighting = Lighting(
        camera=(camera.distance, _SUPERSAMPLING * camera.scale, middle_x, middle_y),
        key=np.array([scene.key, scene.key_colour], np.float32),
        fill=np.array([scene.fill, scene.fill_colour], np.float32),
        axes=axes.astype(np.float32),
        shadow=shadow,
    )
    picture = shade(owner, weights, depth, surface, lighting, _background_of(scene))
    if len(sitter.lenses):
        _glaze(picture, sitter.lenses, camera, vertices, depth)
    pixels, stored = _developed(picture, scene)
    return Frame(pixels, stored, camera, depth, owner)


_HEAD_CENTRE = np.array([0.0, 1.2, 4.0])


def _visible(sitter: Sitter, camera: Camera, vertices: Floats) -> tuple[Floats, Ints, Floats]:
    side = PIXELS * _SUPERSAMPLING
    screen = camera.project(vertices)
    screen[:, :2] *= _SUPERSAMPLING
    # On a fine grid a mirror image has exactly mirrored corners.
    placed = (np.round(screen * _SNAP) / _SNAP).astype(np.float32)
    depth = np.full((side, side), np.inf, np.float32)
    owner = np.full((side, side), -1, np.int32)
    weights = np.zeros((side, side, 2), np.float32)
    first, last = sitter.hair
    rasterise(placed, sitter.triangles[: first or None], depth, owner, weights, 0)
    if last:
        hair = sitter.triangles[first:last]
        rasterise_hair(placed, hair, sitter.cut, sitter.strand[:, 0], depth, owner, weights, first)
        rasterise(placed, sitter.triangles[last:], depth, owner, weights, last)
    return depth, owner, weights


@cache
def _eyes(model: FaceModel) -> Floats:
    """(2, 2, 3) centre and axis of the right and of the left eyeball on the mean face."""
    balls = [eyeballs()[side] for side in (Side.RIGHT, Side.LEFT)]
    return np.array([[ball.centre(model.neutral), ball.axis(model.neutral)] for ball in balls], np.float32)


def _wrinkle_strength(model: FaceModel, face: Face, look: Look, count: int) -> Floats:
    """(count,) strength of the lines at each vertex: what muscles draw, and what age has left at rest."""
    amounts = np.array([face.wrinkles[name] for name in WRINKLES], np.float32).reshape(-1)
    rest = 0.35 * look.age**1.5
    strength = np.zeros(count, np.float32)
    drawn = skin_maps(model).vertex_wrinkles @ (amounts * (0.55 + 0.6 * look.age) + rest)
    strength[: len(drawn)] = drawn.clip(0, 1.4)
    return strength


def _glaze(picture: Floats, lenses: Ints, camera: Camera, vertices: Floats, depth: Floats) -> None:
    """Lay a faint reflection over what lies behind the lenses, in place."""
    screen = camera.project(vertices)
    screen[:, :2] *= _SUPERSAMPLING
    near = np.full(depth.shape, np.inf, np.float32)
    owner = np.full(depth.shape, -1, np.int32)
    weights = np.zeros((*depth.shape, 2), np.float32)
    rasterise(screen.astype(np.float32), lenses, near, owner, weights, 0)
    covered = (near < depth).reshape(PIXELS, _SUPERSAMPLING, PIXELS, _SUPERSAMPLING).mean(axis=(1, 3))[..., None]
    picture += covered * (0.02 - 0.08 * picture)


def _background_of(scene: Scene) -> Floats:
    colours = tuple(scene.background_colours.ravel().tolist())
    return _background(scene.background, scene.background_seed, scene.handed, colours)


@lru_cache(maxsize=4)
def _background(kind: str, seed: int, handed: int, colours: tuple[float, ...]) -> Floats:
    """(PIXELS, PIXELS, 3) linear RGB."""
    rng = np.random.default_rng(seed)
    one, other = np.array(colours).reshape(2, 3)
    down, across = np.mgrid[0:PIXELS, 0:PIXELS] / PIXELS
    if kind == "plain":
        share = 0.08 * across
    elif kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        share = 0.5 + 0.5 * (np.cos(angle) * (across - 0.5) + np.sin(angle) * (down - 0.5))
    elif kind == "wall":
        share = 0.12 * across + 0.03 * _texture(rng, 96) + 0.05 * _texture(rng, 4)
    elif kind == "room":
        share = _furniture(rng)
    else:
        share = (0.5 + 0.35 * _texture(rng, 9) + 0.2 * _texture(rng, 24)).clip(0, 1)
    picture = one * (1 - share[..., None]) + other * share[..., None]
    if handed < 0:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture.clip(0.002, 1), np.float32)


def _texture(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC), np.float64)


def _furniture(rng: np.random.Generator) -> NDArray[np.float64]:
    canvas = np.full((PIXELS, PIXELS), rng.random() * 255, np.float32)
    for _ in range(int(rng.integers(4, 10))):
        x, y = rng.integers(-40, PIXELS, 2)
        w, h = rng.integers(20, 160, 2)
        canvas[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = rng.random() * 255
    soft = Image.fromarray(canvas.astype(np.uint8)).filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 7))))
    return np.asarray(soft, np.float64) / 255


@lru_cache(maxsize=16)
def _blur_kernel(sigma: float) -> ImageFilter.Kernel:
    """A Gaussian on 5 x 5 pixels."""
    line = np.exp(-(np.arange(-2, 3) ** 2) / (2 * sigma**2 + 1e-9))
    return ImageFilter.Kernel((5, 5), np.outer(line, line).ravel().tolist())


def _developed(picture: Floats, scene: Scene) -> tuple[NDArray[np.uint8], bytes]:
    """The sensor's picture, exposed, noisy, in sRGB, blurred, compressed; and its file.

    A mirror image is the mirrored picture of the same sensor, as phones make it: compression is not mirror-symmetric.
    """
    rng = np.random.default_rng(scene.seed)
    grain = rng.standard_normal((PIXELS, PIXELS), np.float32)
    tint = rng.standard_normal((PIXELS // 2, PIXELS // 2, 3), np.float32)
    seen = picture if scene.handed > 0 else np.ascontiguousarray(picture[:, ::-1])
    image = Image.fromarray(expose(seen, grain, tint, scene.exposure, scene.noise, scene.grey))
    if scene.blur_px > 0:
        image = image.filter(_blur_kernel(scene.blur_px))
    stored = io.BytesIO()
    if scene.jpeg:
        image.save(stored, "JPEG", quality=scene.jpeg)
        image = Image.open(stored)
    if scene.handed < 0:
        image, stored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), io.BytesIO()
    if not stored.getbuffer().nbytes:
        image.save(stored, "PNG", compress_level=1)
    return np.asarray(image), stored.getvalue()
