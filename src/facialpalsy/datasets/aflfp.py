"""AFLFP: annotated landmarks of facial palsy; pictures with `.pts` files beside them.

Where its folders name people is not published, so the rule is the user's: the first folder below the root, or a
regular expression on the path below the root.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from facialpalsy.datasets.corpus import Kind, Reading, number_of
from facialpalsy.datasets.files import number_in, read_label_text
from facialpalsy.datasets.subjects import subject_in
from facialpalsy.datasets.tree import undoubled, walk
from facialpalsy.errors import CorpusError, LandmarkFileError
from facialpalsy.media import PHOTO_SUFFIXES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXPECTED = "pictures with .pts files of the same names beside them"

_POINTS = 68
_LOOKED_AT = 3000
_MAX_BYTES = 1_000_000


def looks_like(root: Path) -> bool:
    """Whether there are `.pts` files below `root`."""
    return any(path.suffix.lower() == ".pts" for path in islice(walk(root), _LOOKED_AT))


def read(reading: Reading) -> None:
    """Every picture, with the points beside it."""
    root = undoubled(reading.root)
    landmarks = {_key(path): path for path in reading.files(root, [".pts"])}
    pictures: dict[tuple[Path, str], list[Path]] = {}
    for path in reading.files(root, PHOTO_SUFFIXES):
        pictures.setdefault(_key(path), []).append(path)
    for key, path in landmarks.items():
        if key not in pictures:
            reading.problem(path, Kind.LABEL_WITHOUT_IMAGE, "There is no picture of this name beside it.")
    subjects: set[str] = set()
    for key, found in pictures.items():
        points = _sound(reading, landmarks.get(key), found)
        for path in found:
            parts = path.relative_to(root).parts
            subject = _subject(reading, path, parts)
            subjects |= {subject} - {""}
            inner = "/".join(parts[1:-1])
            targets: dict[str, str | float] = {"aflfp.folder": inner} if inner else {}
            reading.add(path, subject, capture=inner, targets=targets, landmarks=points)
    if reading.options.subject_from is None or len(subjects) == 1:
        message = (
            f"Nothing published says where a path names the person; as it was read, there "
            f"{'is' if len(subjects) == 1 else 'are'} {number_of(len(subjects), 'person', 'people')}. "
            "If that is wrong, say with --subject-from where the person stands."
        )
        reading.problem(".", Kind.ABSENT, message)


def read_pts(path: Path) -> NDArray[np.float64]:
    """Points of an iBUG `.pts` file, `n_points: N` and N lines of x y in braces.

    Returns:
        (n, 2) pixels as they are written, which count from 1.

    Raises:
        LandmarkFileError: it is unreadable, or does not hold as many points as it says.
    """
    import numpy as np

    try:
        text = read_label_text(path, _MAX_BYTES)
    except CorpusError as error:
        raise LandmarkFileError(str(error)) from None
    found = re.search(r"n_points\s*:\s*(\d{1,6})\s*\{([^{}]*)\}", text, re.IGNORECASE)
    if found is None:
        raise LandmarkFileError(f"{path.name!r} has no 'n_points: {_POINTS}' with points in braces; export it again.")
    rows = [[number_in(cell) for cell in line.split()] for line in found[2].splitlines() if line.strip()]
    if len(rows) != int(found[1]) or any(len(row) != 2 or None in row for row in rows):
        raise LandmarkFileError(
            f"{path.name!r} says n_points: {found[1]}, but holds {len(rows)} lines, or one that is not x and y; "
            "export it again."
        )
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def points_of(path: Path) -> NDArray[np.float64]:
    """Points of a `.pts` file, whose pixels count from 1, as pixels with (0, 0) at the corner of the first.

    Raises:
        LandmarkFileError: as `read_pts`.
    """
    return read_pts(path) - 0.5


def _key(path: Path) -> tuple[Path, str]:
    return path.parent, path.stem.casefold()


def _subject(reading: Reading, path: Path, parts: tuple[str, ...]) -> str:
    """Who is seen, or nothing, which becomes a problem."""
    rule = reading.options.subject_from
    if rule is not None:
        return subject_in(rule, reading.below(path)) or ""
    return parts[0] if len(parts) > 1 else ""


def _sound(reading: Reading, path: Path | None, pictures: list[Path]) -> Path | None:
    """`path` if it holds the points of a face; one that fits several pictures is given to all of them."""
    if path is None:
        for picture in pictures:
            reading.problem(picture, Kind.IMAGE_WITHOUT_LABEL, "There is no .pts file beside it.")
        return None
    try:
        count = len(read_pts(path))
    except LandmarkFileError as error:
        reading.problem(path, Kind.UNREADABLE_LABEL, str(error))
        return None
    if count != _POINTS:
        reading.problem(path, Kind.IMPOSSIBLE_VALUE, f"It holds {count} points; the set has {_POINTS}.")
        return None
    return path
