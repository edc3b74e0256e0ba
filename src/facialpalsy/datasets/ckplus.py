"""CK+: the extended Cohn-Kanade sequences with emotions, FACS codes and landmarks of the last frame.

A sequence runs from the neutral face to the apex. There is no palsy grade and no affected side; that its people are
healthy is likely but said nowhere, so it is not claimed here. FACS intensity 0 means present, but not scored. The
number of an emotion is a name and no amount, so it is kept as text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.datasets.files import number_lines, read_numbers, whole_number
from facialpalsy.datasets.tree import find_folder, folders_in, holds_parts
from facialpalsy.media import PHOTO_SUFFIXES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXPECTED = "folders cohn-kanade-images, Emotion, FACS and Landmarks"

_IMAGES = "cohn-kanade-images"
_LABELS = ("Emotion", "FACS", "Landmarks")
_POINTS = 68
_Targets = dict[str, str | float]


def looks_like(root: Path) -> bool:
    """Whether `root` holds the folder of sequences."""
    return holds_parts(root, _IMAGES, *_LABELS)


def read(reading: Reading) -> None:
    """Every picture of every sequence; labels go to the picture whose name they bear."""
    sequences = _sequences(reading)
    pictures = {path.stem.casefold() for sequence in sequences.values() for path in sequence}
    targets: dict[str, _Targets] = {}
    emotions, codes, points = (_label_files(reading, name, pictures) for name in _LABELS)
    for stem, path in emotions:
        targets.setdefault(stem, {}).update(_emotion(reading, path))
    for stem, path in codes:
        targets.setdefault(stem, {}).update(_facs(reading, path))
    landmarks = {stem: path for stem, path in points if _is_face(reading, path)}
    for (subject, capture), paths in sequences.items():
        for index, path in enumerate(paths):
            stem = path.stem.casefold()
            place = _place(index, len(paths))
            reading.add(
                path,
                subject,
                capture=capture,
                expression=Expression.REST if place == "first" else None,
                targets={**targets.get(stem, {}), "ckplus.frame": place},
                landmarks=landmarks.get(stem),
            )


def points_of(path: Path) -> NDArray[np.float64]:
    """Points (68, 2) of a landmark file, in pixels as they are written.

    Raises:
        CorpusError: the file is unreadable.
    """
    import numpy as np

    return np.array([row for _, row in number_lines(path)[0] if len(row) == 2])


def _place(index: int, count: int) -> str:
    if count == 1:
        return "only"
    return {0: "first", count - 1: "last"}.get(index, "between")


def _sequences(reading: Reading) -> dict[tuple[str, str], list[Path]]:
    """Pictures by subject and sequence, in their order."""
    top = find_folder(reading.root, _IMAGES)
    sequences = {}
    for subject in folders_in(top, reading.unreadable_folder) if top else []:
        for sequence in folders_in(subject, reading.unreadable_folder):
            if paths := reading.files(sequence, PHOTO_SUFFIXES):
                sequences[subject.name, sequence.name] = paths
    return sequences


def _label_files(reading: Reading, name: str, pictures: set[str]) -> list[tuple[str, Path]]:
    """Lower-case stem of the labelled picture, and the file, for every label file that has its picture."""
    top = find_folder(reading.root, name)
    if top is None:
        reading.problem(name, Kind.ABSENT, "There is no such folder, so no picture has these labels.")
        return []
    found = []
    for path in reading.files(top, [".txt"]):
        stem = path.stem.casefold().rpartition("_")[0]
        if stem in pictures:
            found.append((stem, path))
        else:
            reading.problem(path, Kind.LABEL_WITHOUT_IMAGE, "There is no picture of this name.")
    return found


def _emotion(reading: Reading, path: Path) -> _Targets:
    numbers = [number for _, row in read_numbers(reading, path) for number in row]
    if not numbers:
        reading.problem(path, Kind.ABSENT, "The file names no emotion.")
        return {}
    if len(numbers) > 1 or whole_number(numbers[0]) not in range(8):
        reading.problem(path, Kind.IMPOSSIBLE_VALUE, f"It holds {numbers[:3]}; an emotion is one number from 0 to 7.")
        return {}
    return {"ckplus.emotion": f"{numbers[0]:g}"}


def _facs(reading: Reading, path: Path) -> _Targets:
    rows = read_numbers(reading, path)
    if not rows:
        reading.problem(path, Kind.ABSENT, "The file names no action unit.")
    targets: _Targets = {}
    for line, row in rows:
        unit = whole_number(row[0])
        if len(row) != 2 or unit not in range(1, 100) or not 0 <= row[1] <= 5:
            message = f"Line {line} is no action unit with an intensity from 0 to 5."
            reading.problem(path, Kind.IMPOSSIBLE_VALUE, message)
            continue
        targets[f"ckplus.au{unit}"] = row[1]
    return targets


def _is_face(reading: Reading, path: Path) -> bool:
    """Whether a landmark file holds the points of a face."""
    rows = read_numbers(reading, path)
    sound = len(rows) == _POINTS and all(len(row) == 2 for _, row in rows)
    if not sound:
        reading.problem(path, Kind.UNREADABLE_LABEL, f"It does not hold {_POINTS} lines of x and y.")
    return sound
