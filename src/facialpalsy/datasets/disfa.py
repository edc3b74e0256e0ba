"""DISFA: clips of 27 people from two cameras, with the intensity (0-5) of twelve action units on every frame.

An intensity holds for the face, not for a side. The label files count frames from 1, samples from 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from facialpalsy.datasets.corpus import Kind, Reading, number_of
from facialpalsy.datasets.files import read_numbers, whole_number
from facialpalsy.datasets.tree import find_folder, folders_in, holds_parts
from facialpalsy.media import VIDEO_SUFFIXES

EXPECTED = "folders ActionUnit_Labels, Videos_LeftCamera and Videos_RightCamera"
UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""The action units that are scored."""

_LABELS = "ActionUnit_Labels"
_CAMERAS = {"Videos_LeftCamera": "left camera", "Videos_RightCamera": "right camera"}
_CLIP = re.compile(r"(?:left|right)video(sn\d+)", re.IGNORECASE)
_UNIT_FILE = re.compile(r"sn\d+_au(\d+)", re.IGNORECASE)
_Targets = dict[str, str | float]


def looks_like(root: Path) -> bool:
    """Whether `root` holds the folder of labels."""
    return holds_parts(root, _LABELS, *_CAMERAS)


def read(reading: Reading) -> None:
    """Every labelled frame of every clip."""
    labels = _labels(reading)
    filmed = set()
    for folder, camera in _CAMERAS.items():
        top = find_folder(reading.root, folder)
        if top is None:
            reading.problem(folder, Kind.ABSENT, "There is no such folder.")
            continue
        for path in reading.files(top, VIDEO_SUFFIXES):
            said = _CLIP.match(path.stem)
            if said is None:
                reading.problem(path, Kind.LEFT_ASIDE, "Its name is not LeftVideoSN001_comp or the like.")
                continue
            subject = said[1].upper()
            filmed.add(subject)
            for frame, targets in sorted(labels.get(subject, {}).items()):
                reading.add(path, subject, frame=frame, capture=camera, targets=targets)
            if subject not in labels:
                reading.problem(path, Kind.IMAGE_WITHOUT_LABEL, "No frame of this clip has labels.")
                reading.add_clip(path, subject, capture=camera)
    for subject in (one for one in labels if one not in filmed):
        reading.problem(f"{_LABELS}/{subject}", Kind.LABEL_WITHOUT_IMAGE, "There is no clip of this subject.")


def _labels(reading: Reading) -> dict[str, dict[int, _Targets]]:
    """Subject -> frame from 0 -> intensities."""
    top = find_folder(reading.root, _LABELS)
    labels = {}
    for folder in folders_in(top, reading.unreadable_folder) if top else []:
        frames: dict[int, _Targets] = defaultdict(dict)
        units = set()
        for path in reading.files(folder, [".txt"]):
            said = _UNIT_FILE.fullmatch(path.stem)
            if said is None or int(said[1]) not in UNITS:
                reading.problem(
                    path, Kind.LEFT_ASIDE, "Its name is not SN001_au12 or the like, with a unit of the set."
                )
                continue
            units.add(int(said[1]))
            for frame, intensity in _intensities(reading, path).items():
                frames[frame][f"disfa.au{int(said[1])}"] = intensity
        if missing := sorted(set(UNITS) - units):
            reading.problem(folder, Kind.ABSENT, f"There are no files of AU {', '.join(map(str, missing))}.")
        if frames:
            labels[folder.name.strip().upper()] = _shared(frames)
    return labels


def _intensities(reading: Reading, path: Path) -> dict[int, float]:
    values: dict[int, float] = {}
    wrong = []
    for line, row in read_numbers(reading, path):
        frame = whole_number(row[0])
        sound = len(row) == 2 and frame is not None and frame >= 1 and row[1] in range(6)
        if not sound or frame is None or frame - 1 in values:
            wrong.append(line)
        else:
            values[frame - 1] = row[1]
    if wrong:
        lines = number_of(len(wrong), "line")
        message = f"No new frame from 1 with an intensity 0 to 5 in {lines}, first in line {wrong[0]}."
        reading.problem(path, Kind.IMPOSSIBLE_VALUE, message)
    return values


def _shared(frames: dict[int, _Targets]) -> dict[int, _Targets]:
    """The same, with frames of equal labels sharing them: most frames of a clip are alike."""
    known: dict[tuple[tuple[str, str | float], ...], _Targets] = {}
    return {frame: known.setdefault(tuple(targets.items()), targets) for frame, targets in frames.items()}
