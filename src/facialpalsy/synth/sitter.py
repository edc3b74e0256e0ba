"""Sitter: one person painted and dressed, ready to be rendered in any expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facialpalsy.synth.face_model import FaceModel, Part
from facialpalsy.synth.look import Look
from facialpalsy.synth.materials import CLOTH, HAIR
from facialpalsy.synth.shadow import shelter
from facialpalsy.synth.skin import paint_skin
from facialpalsy.synth.worn import LENS, worn_meshes

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_NECKLINE_CM = -12.4
_WORN_SHELTER = 0.8
# Sine of the angle by which a triangle may face away on the mean face and still be drawn.
_BACK = 0.6


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
    on_mean, all_parts, all_cut = np.concatenate(vertices), np.concatenate(parts), np.concatenate(cut)
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
        shelter=np.concatenate([shelter(model), np.full(len(on_mean), _WORN_SHELTER, np.float32)]),
        worn=_fitted(model, on_mean, identity),
        casting=_casting(all_triangles[all_parts < CLOTH], all_cut),
        hair=hair,
        cut=all_cut,
        strand=np.concatenate(strand)[:, None],
        lenses=lenses,
    )


def _casting(triangles: Ints, cut: Floats) -> Ints:
    """Triangles of head and hair that throw shadows; what is cut away beyond the hairline throws none."""
    return np.ascontiguousarray(triangles[cut[triangles].max(axis=1) < 0])


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
