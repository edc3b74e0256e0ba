"""Shot: one picture of one patient with its exact truth: points, what of them is seen, and which zone each pixel is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.schemes import DENSE
from facialpalsy.face.side import Side
from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.look import Look, draw_look
from facialpalsy.synth.patient import Face, Patient, Take, draw_take, pose_face
from facialpalsy.synth.person import seeded
from facialpalsy.synth.points import dense_points
from facialpalsy.synth.render import HEAD_CENTRE_CM, PIXELS, Frame, render
from facialpalsy.synth.scene import Camera, Scene, again, draw_scene
from facialpalsy.synth.sitter import Sitter, seat
from facialpalsy.synth.style import STYLES

ENGINE = "synth"
"""Name that true points go by."""

ZONE_VALUES = {(side, zone): 1 + 2 * number + (side is Side.LEFT) for number, zone in enumerate(Zone) for side in Side}
"""Values of a zone picture: 1 forehead of the right, 2 of the left, 3, 4 eye, 5, 6 midface, 7, 8 mouth; 0 elsewhere."""

# A point is seen where the surface drawn at its place lies no more than this before it.
_VISIBLE_CM = 0.06
# Heights on the mean face between the zones, and where the zones end.
_ZONE_BOUNDS_CM = {
    Zone.FOREHEAD: (4.9, 11.0),
    Zone.EYE: (2.0, 4.9),
    Zone.MIDFACE: (-1.9, 2.0),
    Zone.MOUTH: (-7.6, -1.9),
}
_ZONE_HALF_WIDTH_CM = 7.0


@dataclass(frozen=True, eq=False)
class Shot:
    """All that one picture is made from."""

    patient: Patient
    take: Take
    look: Look
    scene: Scene

    def mirrored(self) -> Shot:
        """The shot of the mirror image: person, palsy, light and camera exchange left and right."""
        return Shot(self.patient.mirrored(), self.take.mirrored(), self.look.mirrored(), self.scene.mirrored())


@dataclass(frozen=True, eq=False)
class Photograph:
    """One picture and its truth.

    Attributes:
        shot: What it was made from.
        face: The posed face.
        frame: The rendered picture.
        landmarks: The points of `DENSE`, the first 68 of which are those of iBUG, exact.
        visible: (191,) which of them are neither hidden nor outside the picture.
    """

    shot: Shot
    face: Face
    frame: Frame
    landmarks: Landmarks
    visible: NDArray[np.bool_]
    _sitter: Sitter

    def zones(self, model: FaceModel) -> NDArray[np.uint8]:
        """(side, side) `ZONE_VALUES` of what is seen, where at least three of a pixel's four samples agree."""
        sitter, owner = self._sitter, self.frame.owner
        of_triangle = np.where(sitter.source >= 0, _zones(model)[sitter.source.clip(0)], 0)
        side = len(owner) // 2
        samples = np.where(owner >= 0, of_triangle[owner.clip(0)], 0).reshape(side, 2, side, 2)
        first, second, third, fourth = np.sort(samples.swapaxes(1, 2).reshape(side, side, 4), axis=2).T
        clear = (second == third) & ((first == second) | (third == fourth))
        return np.ascontiguousarray(np.where(clear, second, 0).T, np.uint8)


def draw_shot(patient: Patient, expression: Expression, number: int) -> Shot:
    """Take `number` of an expression. A patient looks the same in every shot and is seen in one session.

    It depends on nothing but the patient's seed and name, the expression and the number.
    """
    style = STYLES[patient.setting]
    person = seeded(patient.seed, patient.setting, patient.subject, "look")
    look, session = draw_look(person, style), draw_scene(person, style)
    moment = seeded(patient.seed, patient.setting, patient.subject, "scene", expression.value, number)
    return Shot(patient, draw_take(patient, expression, number), look, again(session, moment, style))


def photograph(model: FaceModel, shot: Shot, side: int = PIXELS) -> Photograph:
    """Render a shot, `side` pixels wide and high, and read its truth."""
    sitter = _sitter(model, shot.look, shot.patient)
    face = pose_face(model, shot.patient, shot.take)
    frame = render(model, sitter, face, shot.scene, side)
    vertices = np.concatenate([face.vertices, sitter.worn])
    points = frame.camera.project(vertices[list(dense_points())])
    return Photograph(shot, face, frame, _landmarks(points, side), _visible(frame, sitter, vertices, points), sitter)


def pose(model: FaceModel, shot: Shot) -> tuple[Face, Landmarks]:
    """The face of a shot and its points, as `photograph` has them, without a picture."""
    face = pose_face(model, shot.patient, shot.take)
    camera = Camera.of(shot.scene, HEAD_CENTRE_CM, PIXELS)
    return face, _landmarks(camera.project(face.vertices[list(dense_points())]), PIXELS)


def _landmarks(projected: NDArray[np.float64], side: int) -> Landmarks:
    return Landmarks(DENSE, projected[:, :2], (side, side), engine=ENGINE)


@lru_cache(maxsize=4)
def _sitter(model: FaceModel, look: Look, patient: Patient) -> Sitter:
    return seat(model, look, patient.neutral(model))


def _visible(
    frame: Frame, sitter: Sitter, vertices: NDArray[np.float32], points: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the plane of a triangle that is drawn around each point lies no nearer than the point."""
    side = len(frame.owner)
    place = points[:, :2] * side / len(frame.pixels)
    corner = np.floor(place - 0.5).astype(int)
    seen = np.zeros(len(points), bool)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, row = corner[:, 0] + right, corner[:, 1] + down
        inside = (column >= 0) & (row >= 0) & (column < side) & (row < side)
        owner = np.where(inside, frame.owner[row.clip(0, side - 1), column.clip(0, side - 1)], -1)
        a, b, c = (frame.camera.project(vertices[sitter.triangles[owner.clip(0), k]]) for k in range(3))
        normal = np.cross(b - a, c - a)
        across = ((points[:, :2] - a[:, :2]) * normal[:, :2]).sum(axis=1)
        before = a[:, 2] - across / np.where(normal[:, 2] == 0, np.inf, normal[:, 2])
        seen |= (owner >= 0) & (points[:, 2] <= before + _VISIBLE_CM)
    return seen


@cache
def _zones(model: FaceModel) -> NDArray[np.uint8]:
    """(m,) the zone of each triangle of the face model."""
    x, y, _ = model.neutral[model.triangles].mean(axis=1).T
    zones = np.zeros(len(model.triangles), np.uint8)
    inside = (np.abs(x) < _ZONE_HALF_WIDTH_CM) & (model.parts != Part.HEAD)
    for zone, (low, high) in _ZONE_BOUNDS_CM.items():
        for side in Side:
            zones[inside & (y >= low) & (y < high) & (x * side.sign > 0)] = ZONE_VALUES[side, zone]
    mouth = (model.parts == Part.TEETH) | (model.parts == Part.MOUTH)
    for side in Side:
        zones[mouth & (x * side.sign > 0)] = ZONE_VALUES[side, Zone.MOUTH]
    return zones
