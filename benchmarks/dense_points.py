"""Dense points: how the table of `facialpalsy.synth.points` was made, once, from the face model.

Curves run along the edges of the mesh between the vertices that ICT-FaceKit names for the 68 iBUG points (its README),
and their points are the vertices nearest to equal lengths of the way. The rest are the vertices nearest to a place that
was chosen by eye on the mean face. Everything is done for the subject's right; the left is its mirror image.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

import numpy as np

from facialpalsy.synth.face_model import FaceModel, Part, face_model
from facialpalsy.synth.points import EYE_CENTRE_RIGHT_CM, IBUG68_VERTICES, IRIS_RADIUS_CM

RIM = {name: [IBUG68_VERTICES[i] for i in corners] for name, corners in {
    "upper_lid": (36, 37, 38, 39),
    "lower_lid": (36, 41, 40, 39),
    "upper_lip_outer": (48, 49, 50, 51),
    "lower_lip_outer": (48, 59, 58, 57),
    "upper_lip_inner": (60, 61, 62),
    "lower_lip_inner": (60, 67, 66),
    "brow_upper": (17, 18, 19, 20, 21),
}.items()}  # fmt: skip
COUNTS = {"upper_lid": 9, "lower_lid": 9, "brow_upper": 7}
# Centimetres on the mean face, frontal (x, y), the subject's right.
PLACES = {
    "brow_lower": [(-5.65, 4.98), (-4.85, 5.37), (-4.2, 5.52), (-3.5, 5.55), (-2.75, 5.48), (-2.0, 5.3), (-1.25, 5.15)],
    "nasolabial_fold": [(-1.9, -0.55), (-2.35, -1.2), (-2.75, -1.95), (-3.05, -2.75), (-3.2, -3.5)],
    "ala": [(-1.77, -0.1)],
    "forehead_top": [(0.0, 10.8)],
}  # fmt: skip


def main() -> None:
    """Print the table."""
    model = face_model()
    edges = _edges(model)
    for name, corners in RIM.items():
        path = [corners[0]]
        for one, other in itertools.pairwise(corners):
            path += _shortest(model, edges, one, other)[1:]
        print(name, _equally(model, path, COUNTS.get(name, 7)))
    for name, places in PLACES.items():
        print(name, [_nearest(model, place) for place in places])
    print("eye", _eye(model))


def _edges(model: FaceModel) -> dict[int, set[int]]:
    """Neighbours along the skin of the right half, the midline included."""
    found: dict[int, set[int]] = {}
    skin = model.triangles[model.parts == Part.SKIN]
    for triangle in skin[(model.neutral[skin][:, :, 0] < 1e-4).all(axis=1)].tolist():
        for one in triangle:
            found.setdefault(one, set()).update(other for other in triangle if other != one)
    return found


def _shortest(model: FaceModel, edges: dict[int, set[int]], start: int, end: int) -> list[int]:
    best, before, waiting = {start: 0.0}, {}, [(0.0, start)]
    while waiting:
        length, here = heapq.heappop(waiting)
        if here == end:
            break
        for there in edges[here]:
            longer = length + float(np.linalg.norm(model.neutral[there] - model.neutral[here]))
            if longer < best.get(there, np.inf):
                best[there], before[there] = longer, here
                heapq.heappush(waiting, (longer, there))
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def _equally(model: FaceModel, path: Sequence[int], count: int) -> list[int]:
    steps = np.linalg.norm(np.diff(model.neutral[list(path)], axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    return [path[int(np.abs(length - at).argmin())] for at in np.linspace(0, length[-1], count)]


def _nearest(model: FaceModel, place: tuple[float, float]) -> int:
    skin = np.unique(model.triangles[model.parts == Part.SKIN])
    front = skin[model.neutral[skin, 2] > 5]
    if place[0] == 0:
        front = front[np.abs(model.neutral[front, 0]) < 1e-4]
    return int(front[np.linalg.norm(model.neutral[front, :2] - place, axis=1).argmin()])


def _eye(model: FaceModel) -> dict[str, object]:
    """Apex and the ring of the iris: medial, top, lateral, bottom, then the four between them in the same order."""
    eye = np.unique(model.triangles[model.parts == Part.EYE])
    right = eye[model.neutral[eye, 0] < 0]
    offset = model.neutral[right] - np.array(EYE_CENTRE_RIGHT_CM)
    normal = np.array([-0.0961, 0.0018, 0.9954])  # of the dropped iris disc
    apex = int(right[(offset @ normal / np.linalg.norm(offset, axis=1)).argmax()])
    axis = offset[right == apex][0] / np.linalg.norm(offset[right == apex])
    side = np.cross([0.0, 1.0, 0.0], axis)
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    x, y = offset @ side, offset @ up
    ring = []
    for degrees in (0, 90, 180, 270, 45, 135, 225, 315):
        at = IRIS_RADIUS_CM * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
        away = np.hypot(x - at[0], y - at[1]) + np.where(offset @ axis > 0, 0, 9)
        ring.append(int(right[away.argmin()]))
    radii = [float(np.hypot(x[right == v], y[right == v])[0]) for v in ring]
    return {"apex": apex, "axis": axis.round(4).tolist(), "ring": ring, "radii": np.round(radii, 3).tolist(),
            "degrees": [float(np.degrees(np.arctan2(y[right == v], x[right == v]))[0].round(1)) for v in ring],
            "height": [float((offset @ axis)[right == v][0].round(3)) for v in ring]}  # fmt: skip


if __name__ == "__main__":
    main()
