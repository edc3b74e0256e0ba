"""Landmark files: points placed or moved by hand or by another tool, read and written.

Formats: `.json` (this package's own), `.pts` (iBUG: 1-based pixels), `.csv` (columns x, y in the order of the
scheme) and `.npy`. 68 points are iBUG-68, 478 are MediaPipe's mesh. Points belong to the picture as stored, after
EXIF orientation, and are labelled as if it were unmirrored, as every landmark tool does; a `.json` that says
`unmirrored: true` belongs to the picture after un-mirroring, which is what this package writes for mirrored captures.
"""

from __future__ import annotations

import hashlib
import io
import json
import tokenize
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import InputNotFoundError, LandmarkFileError, SwappedSidesError
from facialpalsy.face import SCHEMES, Landmarks, Side, face_frame, mirror_landmarks
from facialpalsy.spreadsheet import read_cells
from facialpalsy.writing import write_text

SCHEMA = "facialpalsy.landmarks/1"
LANDMARK_SUFFIXES = (".json", ".pts", ".csv", ".npy")

_MAX_BYTES = 4_000_000
# Points of a cropped chin or ear may lie just beyond the border; further out they belong to another picture.
_OUTSIDE_TOLERANCE = 0.1
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, IndexError, EOFError, OSError, OverflowError, RecursionError, MemoryError),
    *(SyntaxError, tokenize.TokenError),
)


def read_landmarks(path: Path, image_size: tuple[int, int], *, mirrored: bool = False) -> Landmarks:
    """Landmarks from `path` for a picture of `image_size` (width, height).

    Args:
        path: A `.json`, `.pts`, `.csv` or `.npy` file.
        image_size: Width and height of the picture in pixels, after EXIF orientation.
        mirrored: Whether the capture is mirrored, and its picture un-mirrored; points that belong to the other of the
            two pictures are mirrored.

    Returns:
        Points of the unmirrored picture, marked `edited`, without repeats; of points that nobody moved those are hidden
        that were.

    Raises:
        LandmarkFileError: unreadable, not 68, 191 or 478 points, another picture's size, or outside the picture.
        SwappedSidesError: left and right are exchanged.
    """
    data = _load(path)
    points = _points(path, data["points"])
    scheme = next((scheme for scheme in SCHEMES.values() if scheme.size == len(points)), None)
    if scheme is None or data.get("scheme", scheme.name) != scheme.name:
        raise LandmarkFileError(
            f"{path.name!r} holds {len(points)} points"
            f"{' under the name ' + repr(data['scheme']) if 'scheme' in data else ''}; "
            f"allowed are {' or '.join(f'{s.size} ({s.name})' for s in SCHEMES.values())}."
        )
    if data.get("image_size", list(image_size)) != list(image_size):
        raise LandmarkFileError(
            f"{path.name!r} was made for a picture of {data['image_size']} pixels, but this one has "
            f"{list(image_size)}; give the landmarks of this picture."
        )
    _check_inside(path, points, image_size)
    engine = data.get("engine", "file")
    hidden = _hidden(path, data, scheme.size)
    landmarks = Landmarks(scheme, points, image_size, engine=str(engine), edited=True, hidden=hidden)
    if mirrored != bool(data.get("unmirrored", False)):
        landmarks = mirror_landmarks(landmarks)
    _check_sides(path, landmarks)
    return landmarks


def write_landmarks(path: Path, landmarks: Landmarks, *, unmirrored: bool = False) -> None:
    """Write `landmarks` as JSON, in the form that `read_landmarks` takes back.

    `unmirrored` says that the points belong to a mirrored capture's picture after un-mirroring.
    """
    points = [[round(float(x), 3), round(float(y), 3)] for x, y in landmarks.points]
    data = {
        "schema": SCHEMA,
        "scheme": landmarks.scheme.name,
        "engine": landmarks.engine,
        "image_size": list(landmarks.image_size),
        "unmirrored": unmirrored,
        "edited": landmarks.edited,
        "sha256": _sha256(points),
        "hidden": [] if landmarks.hidden is None else np.flatnonzero(landmarks.hidden).tolist(),
        "points": points,
    }
    write_text(path, json.dumps(data, indent=1) + "\n")


def is_handmade(path: Path, *, copies: bool) -> bool:
    """Whether the points of a file are not those that `write_landmarks` wrote there: a person moved them.

    `copies` asks too whether they were written there from points that a person or another tool had placed.
    """
    try:
        data = _load(path)
    except LandmarkFileError:
        return True
    return data.get("sha256") != _sha256(data["points"]) or (copies and bool(data.get("edited", False)))


def _sha256(points: object) -> str:
    """Of the points as JSON; it tells later whether a person moved one."""
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()


def _load(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise InputNotFoundError(f"The landmark file {path.name!r} does not exist; check --landmarks.")
    if path.stat().st_size > _MAX_BYTES:
        raise LandmarkFileError(f"{path.name!r} is larger than {_MAX_BYTES // 1_000_000} MB, too much for one face.")
    reader = {".json": _load_json, ".pts": _load_pts, ".csv": _load_csv, ".npy": _load_npy}.get(path.suffix.lower())
    if reader is None:
        raise LandmarkFileError(f"{path.name!r} is no landmark file; allowed are {', '.join(LANDMARK_SUFFIXES)}.")
    try:
        data = reader(path)
    except _UNREADABLE as error:
        # What the operating system says holds the whole path; its bare reason does not.
        reason = error.strerror if isinstance(error, OSError) else error
        raise LandmarkFileError(
            f"{path.name!r} cannot be read as {path.suffix.lower()} landmarks ({reason}); "
            "export x and y of every point again."
        ) from error
    if "points" not in data:
        raise LandmarkFileError(f"{path.name!r} has no 'points'; give a list of [x, y] under that name.")
    return data


def _load_json(path: Path) -> dict[str, object]:
    data = json.loads(path.read_text(encoding="utf-8"))
    return data if isinstance(data, dict) else {"points": data}


def _load_pts(path: Path) -> dict[str, object]:
    body = path.read_text(encoding="utf-8").split("{", 1)[1].split("}", 1)[0]
    rows = [[float(number) for number in line.split()] for line in body.splitlines() if line.strip()]
    return {"points": np.array(rows) - 0.5}


def _load_csv(path: Path) -> dict[str, object]:
    rows = [cells for _, cells in read_cells(path, LandmarkFileError)]
    header = [cell.lower() for cell in rows[0]]
    if "x" in header and "y" in header:
        columns = (header.index("x"), header.index("y"))
        rows = rows[1:]
    else:
        columns = (0, 1)
    return {"points": [[float(row[column]) for column in columns] for row in rows]}


def _load_npy(path: Path) -> dict[str, object]:
    # From memory, where numpy fills nothing that the file does not hold, whatever size its header promises.
    # Not `np.load`, which would open an archive or a pickle that only bears the name.
    array = np.lib.format.read_array(io.BytesIO(path.read_bytes()), allow_pickle=False)  # type: ignore[no-untyped-call]
    points = np.asarray(array)
    if points.dtype.kind not in "fiu":
        raise ValueError("it holds no array of real numbers")
    return {"points": points}


def _points(path: Path, raw: object) -> NDArray[np.float64]:
    try:
        points = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] < 2:
        raise LandmarkFileError(f"{path.name!r} does not hold one x and one y for every point.")
    points = points[:, :2]
    if not np.isfinite(points).all():
        raise LandmarkFileError(f"{path.name!r} holds numbers that are not finite; give pixels for every point.")
    return points


def _hidden(path: Path, data: dict[str, object], size: int) -> NDArray[np.bool_] | None:
    """(size,) points that something covers; None of points that somebody moved, which are where that person says."""
    numbers = data.get("hidden", [])
    if not isinstance(numbers, list) or any(type(one) is not int or not 0 <= one < size for one in numbers):
        raise LandmarkFileError(f"The 'hidden' points of {path.name!r} are no list of numbers from 0 to {size - 1}.")
    if not numbers or data.get("sha256") != _sha256(data["points"]):
        return None
    hidden = np.zeros(size, bool)
    hidden[numbers] = True
    return hidden


def _check_inside(path: Path, points: NDArray[np.float64], image_size: tuple[int, int]) -> None:
    size = np.array(image_size)
    outside = (points < -_OUTSIDE_TOLERANCE * size) | (points > (1 + _OUTSIDE_TOLERANCE) * size)
    if outside.any():
        worst = int(np.argmax(outside.any(axis=1)))
        raise LandmarkFileError(
            f"Point {worst} of {path.name!r} is at ({points[worst, 0]:.0f}, {points[worst, 1]:.0f}), outside the "
            f"picture of {image_size[0]} x {image_size[1]} pixels; "
            "give pixels of this very picture, after EXIF orientation."
        )


def _check_sides(path: Path, landmarks: Landmarks) -> None:
    frame = face_frame(landmarks)
    for name in ("outer_canthus", "inner_canthus", "commissure", "ala"):
        right, left = (landmarks.point(name, side) for side in (Side.RIGHT, Side.LEFT))
        if right is not None and left is not None and (left - right) @ frame.u <= 0:
            raise SwappedSidesError(
                f"In {path.name!r} the left {name.replace('_', ' ')} lies on the right side of the face: "
                "sides are the subject's own, and the subject's right is on the left of an unmirrored picture. "
                "Exchange the sides of these points."
            )
