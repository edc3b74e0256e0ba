"""BP4D: frames of 41 people in eight tasks, with the occurrence (0, 1) of action units, for some also the intensity.

9 means unknown and is left out. A label holds for the face, not for a side. Frame numbers of pictures are padded with
zeros differently from copy to copy, so they are compared as numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

from facialpalsy.datasets.corpus import Kind, Reading, number_of
from facialpalsy.datasets.files import read_numbers, whole_number
from facialpalsy.datasets.tree import child, find_folder, folders_in
from facialpalsy.media import PHOTO_SUFFIXES

EXPECTED = "a folder AUCoding with AU_OCC, and folders F001/T1 of pictures"

_CODING = "AUCoding"
_SEQUENCE = re.compile(r"([FM]\d{3})_(T\d+)", re.IGNORECASE)
_INTENSITY = re.compile(r"([FM]\d{3})_(T\d+)_AU(\d+)", re.IGNORECASE)
_SUBJECT = re.compile(r"[FM]\d{3}", re.IGNORECASE)
_TASK = re.compile(r"T\d+", re.IGNORECASE)
_UNKNOWN = 9
_Targets = dict[str, str | float]
_Name = tuple[str, str]


def looks_like(root: Path) -> bool:
    """Whether `root` holds the folder of codes, itself or in the folder of an archive without pictures."""
    if child(root, _CODING) is not None:
        return True
    holders = [folder for folder in folders_in(root) if child(folder, _CODING) is not None]
    return bool(holders) and not any(_SUBJECT.fullmatch(one.name) for folder in holders for one in folders_in(folder))


def read(reading: Reading) -> None:
    """Every picture, with the codes of its frame where it was coded."""
    labels = _labels(reading)
    pictures = _pictures(reading)
    for name, frames in labels.items():
        missing = sorted(frames.keys() - pictures.get(name, {}).keys())
        if missing:
            message = f"No picture of {len(missing)} of {len(frames)} coded frames, the first is frame {missing[0]}."
            reading.problem("/".join(name), Kind.LABEL_WITHOUT_IMAGE, message)
    for name, numbered in pictures.items():
        codes = labels.get(name, {})
        for frame, path in numbered.items():
            reading.add(path, name[0], capture=name[1], targets=codes.get(frame, {}))
        uncoded = len(numbered.keys() - codes.keys())
        if uncoded:
            reading.problem("/".join(name), Kind.IMAGE_WITHOUT_LABEL, f"{number_of(uncoded, 'picture')} without codes.")


def _pictures(reading: Reading) -> dict[_Name, dict[int, Path]]:
    """Subject and task -> frame number -> picture."""
    coding = find_folder(reading.root, _CODING)
    tops = [one for one in folders_in(reading.root, reading.unreadable_folder) if one != coding]
    inner = [one for top in tops if not _SUBJECT.fullmatch(top.name) for one in folders_in(top)]
    pictures: dict[_Name, dict[int, Path]] = {}
    for subject in (one for one in (*tops, *inner) if _SUBJECT.fullmatch(one.name)):
        for task in (one for one in folders_in(subject, reading.unreadable_folder) if _TASK.fullmatch(one.name)):
            numbered = pictures.setdefault((subject.name.upper(), task.name.upper()), {})
            for path in reading.files(task, PHOTO_SUFFIXES):
                if not (path.stem.isascii() and path.stem.isdigit()):
                    reading.problem(path, Kind.LEFT_ASIDE, "Its name is no frame number.")
                elif (other := numbered.setdefault(int(path.stem), path)) != path:
                    message = f"It has the frame number of {reading.below(other)}, which was kept."
                    reading.problem(path, Kind.CONTRADICTION, message)
    return pictures


def _labels(reading: Reading) -> dict[_Name, dict[int, _Targets]]:
    coding = find_folder(reading.root, _CODING)
    labels: dict[_Name, dict[int, _Targets]] = {}
    occurrences = coding and child(coding, "AU_OCC")
    if occurrences is None:
        reading.problem(f"{_CODING}/AU_OCC", Kind.ABSENT, "There is no such folder, so no picture has codes.")
    for path in reading.files(occurrences, [".csv"]) if occurrences else []:
        if (said := _SEQUENCE.fullmatch(path.stem)) is None:
            reading.problem(path, Kind.LEFT_ASIDE, "Its name is not F001_T1 or the like.")
        else:
            _add_occurrences(reading, path, labels.setdefault((said[1].upper(), said[2].upper()), {}))
    intensities = coding and child(coding, "AU_INT")
    for path in reading.files(intensities, [".csv"]) if intensities else []:
        if (said := _INTENSITY.fullmatch(path.stem)) is None:
            reading.problem(path, Kind.LEFT_ASIDE, "Its name is not F001_T1_AU12 or the like.")
        else:
            frames = labels.setdefault((said[1].upper(), said[2].upper()), {})
            _add_intensities(reading, path, f"bp4d.au{int(said[3])}_intensity", frames)
    return labels


def _add_occurrences(reading: Reading, path: Path, frames: dict[int, _Targets]) -> None:
    """Add the codes of a table whose first row names the action units, after a 0 for the frame."""
    rows = read_numbers(reading, path)
    header = [whole_number(number) for number in rows[0][1]] if rows else []
    if len(header) < 2 or header[0] != 0 or None in header:
        reading.problem(path, Kind.UNREADABLE_LABEL, "Its first row is not 0 and the numbers of action units.")
        return
    wrong = []
    for line, row in rows[1:]:
        frame = whole_number(row[0])
        if len(row) != len(header) or frame is None or frame < 0 or any(one not in (0, 1, _UNKNOWN) for one in row[1:]):
            wrong.append(line)
            continue
        codes = {f"bp4d.au{unit}": one for unit, one in zip(header[1:], row[1:], strict=True) if one != _UNKNOWN}
        frames.setdefault(frame, {}).update(codes)
    _tell(reading, path, wrong, "frame number with 0, 1 or 9 for every action unit")


def _add_intensities(reading: Reading, path: Path, name: str, frames: dict[int, _Targets]) -> None:
    """Add the intensities of one action unit: lines of frame and intensity."""
    wrong = []
    for line, row in read_numbers(reading, path, header=True):
        frame = whole_number(row[0])
        if len(row) != 2 or frame is None or frame < 0 or row[1] not in (*range(6), _UNKNOWN):
            wrong.append(line)
        elif row[1] != _UNKNOWN:
            frames.setdefault(frame, {})[name] = row[1]
    _tell(reading, path, wrong, "frame number with an intensity from 0 to 5 or 9")


def _tell(reading: Reading, path: Path, wrong: list[int], wanted: str) -> None:
    if wrong:
        message = f"No {wanted} in {number_of(len(wrong), 'line')}, first in line {wrong[0]}."
        reading.problem(path, Kind.IMPOSSIBLE_VALUE, message)
