"""Render: a posed face, dressed and lit, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face.side import Side
from facialpalsy.synth.background import background_of
from facialpalsy.synth.face_model import FaceModel
from facialpalsy.synth.look import Look
from facialpalsy.synth.materials import Surface
from facialpalsy.synth.patient import Face
from facialpalsy.synth.points import IRIS_RADIUS_CM, eyeballs
from facialpalsy.synth.rasterise import rasterise, rasterise_hair, vertex_normals
from facialpalsy.synth.scene import Camera, Scene
from facialpalsy.synth.sensor import develop
from facialpalsy.synth.shade import Lighting, lit_vertices, shade
from facialpalsy.synth.shadow import light_axes, shadow_map
from facialpalsy.synth.sitter import Sitter
from facialpalsy.synth.skin_maps import WRINKLES, skin_maps

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

PIXELS = 256
"""Side of a picture, if none is asked for."""

HEAD_CENTRE_CM = np.array([0.0, 1.2, 4.0])
"""What the camera looks at, in the frame of the head."""

_SUPERSAMPLING = 2
_SNAP = 1024


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture and how it came about.

    Attributes:
        pixels: (side, side, 3) sRGB.
        stored: The picture's file: JPEG, or PNG where the scene does not compress; decoded it is `pixels`.
        camera: Its camera, which projects any vertex.
        depth: (2 side, 2 side) distance in centimetres of what is seen, infinite where nothing is.
        owner: (2 side, 2 side) triangle of the sitter that is seen, -1 where none is.
    """

    pixels: NDArray[np.uint8]
    stored: bytes
    camera: Camera
    depth: Floats
    owner: Ints


def render(model: FaceModel, sitter: Sitter, face: Face, scene: Scene, side: int = PIXELS) -> Frame:
    """One picture, `side` pixels wide and high. The same arguments give the same pixels on any number of threads."""
    vertices = np.concatenate([face.vertices, sitter.worn])
    camera = Camera.of(scene, HEAD_CENTRE_CM, side)
    depth, owner, weights = _visible(sitter, camera, vertices, side * _SUPERSAMPLING)
    rotation = camera.rotation
    world = ((vertices - camera.centre) @ rotation.T).astype(np.float32)
    axes = light_axes(scene.key)
    shadow = shadow_map((world @ axes.T).astype(np.float32), sitter.casting)
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
    picture = shade(owner, weights, depth, surface, lighting, background_of(scene, side))
    if len(sitter.lenses):
        _glaze(picture, sitter.lenses, camera, vertices, depth)
    pixels, stored = develop(picture, scene)
    return Frame(pixels, stored, camera, depth, owner)


def _visible(sitter: Sitter, camera: Camera, vertices: Floats, side: int) -> tuple[Floats, Ints, Floats]:
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
    glass = (near < depth).view(np.uint8)
    samples = glass[::2, ::2] + glass[1::2, ::2] + glass[::2, 1::2] + glass[1::2, 1::2]
    rows, columns = samples.nonzero()
    behind = picture[rows, columns]
    picture[rows, columns] = behind + samples[rows, columns, None] / np.float32(4) * (0.02 - 0.08 * behind)
