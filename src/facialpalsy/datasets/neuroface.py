"""NeuroFace: the Toronto clips of speech and facial tasks by people with ALS, after a stroke, and healthy ones.

Points are placed by hand on some frames, and these are the samples; ratings of two speech pathologists (SLP) hold for
a whole clip. A stroke's palsy is central and that of ALS bilateral, so neither has a House-Brackmann grade, and the
set names no side. A frame shows some moment of a task, so the task stays a target and is no expression.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facialpalsy.datasets.corpus import Kind, Reading
from facialpalsy.datasets.files import number_in, number_lines, read_numbers, whole_number
from facialpalsy.datasets.tree import walk
from facialpalsy.datasets.workbook import read_sheets
from facialpalsy.errors import CorpusError
from facialpalsy.face import ReferenceSide
from facialpalsy.media import VIDEO_SUFFIXES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXPECTED = "clips named SUBJECT_NN_TASK_color.avi with landmark files of the same names"

_TASKS = (
    *("BBP_NORMAL", "DDK_PA", "DDK_PATAKA", "NSM_BIGSMILE", "NSM_BLOW", "NSM_BROW"),
    *("NSM_KISS", "NSM_OPEN", "NSM_SPREAD"),
)
_NAME = re.compile(rf"([^_]+)_(\d+)_({'|'.join(_TASKS)})(_color)?", re.IGNORECASE)
_GROUPS = {
    "ALS": re.compile(r"(?<![a-z])als(?![a-z])", re.IGNORECASE),
    "Healthy Control": re.compile(r"healthy|control|(?<![a-z])hc(?![a-z])", re.IGNORECASE),
    "Post-Stroke": re.compile(r"stroke", re.IGNORECASE),
}
_NUMBERS_PER_FRAME = 1 + 2 * 68
_RATED = ("symmetry", "rom", "speed", "variability", "fatigue", "tot")
_RANGES = {**dict.fromkeys(_RATED[:-1], (1, 5)), "tot": (5, 25)}
_LOOKED_AT = 3000


def looks_like(root: Path) -> bool:
    """Whether a clip below `root` is named as those of the set."""
    return any(
        path.suffix.lower() in VIDEO_SUFFIXES and _NAME.fullmatch(path.stem)
        for _, path in zip(range(_LOOKED_AT), walk(root), strict=False)
    )


def read(reading: Reading) -> None:
    """Every frame with points; clips without any are kept as clips."""
    clips = _clips(reading)
    ratings = _ratings(reading, clips)
    points = _landmark_files(reading, clips)
    for key, path in clips.items():
        subject, _, task = _parts(path)
        group = _group(reading.root, path)
        if group is None:
            reading.problem(path, Kind.ABSENT, "No folder above it names ALS, Healthy Control or Post-Stroke.")
        targets = {"neuroface.task": task, **ratings.get(key, {})}
        if group is not None:
            targets["neuroface.group"] = group
        affected = ReferenceSide.NONE if group == "Healthy Control" else ReferenceSide.UNKNOWN
        about: dict[str, Any] = {"capture": path.stem, "affected": affected, "targets": targets}
        landmarks = points.get(key)
        frames = _frames(reading, landmarks) if landmarks is not None else []
        for frame in frames:
            reading.add(path, subject, frame=frame, landmarks=landmarks, **about)
        if not frames:
            reading.problem(path, Kind.IMAGE_WITHOUT_LABEL, "No frame of this clip has points.")
            reading.add_clip(path, subject, **about)


def points_of(path: Path) -> dict[int, NDArray[np.float64]]:
    """Frame -> its points (68, 2) in pixels as they are written; of a frame that is repeated the first.

    Raises:
        CorpusError: the file is unreadable.
    """
    import numpy as np

    rows = [row for _, row in number_lines(path)[0] if len(row) == _NUMBERS_PER_FRAME]
    return {int(frame): np.array(points).reshape(-1, 2) for frame, *points in reversed(rows)}


def _key(stem: str) -> str:
    return stem.casefold().strip().removesuffix("_color")


def _parts(path: Path) -> tuple[str, str, str]:
    said = _NAME.fullmatch(path.stem.strip())
    return (said[1], said[2], said[3].upper()) if said else ("", "", "")


def _group(root: Path, path: Path) -> str | None:
    """The group that the nearest folder names, that of the root itself last; None where it names two."""
    for name in (*reversed(path.relative_to(root).parts[:-1]), root.name):
        said = [group for group, pattern in _GROUPS.items() if pattern.search(name)]
        if said:
            return said[0] if len(said) == 1 else None
    return None


def _clips(reading: Reading) -> dict[str, Path]:
    clips: dict[str, Path] = {}
    for path in reading.files(reading.root, VIDEO_SUFFIXES):
        if not _NAME.fullmatch(path.stem.strip()):
            reading.problem(path, Kind.LEFT_ASIDE, "Its name is not SUBJECT_NN_TASK_color with a task of the set.")
        elif _key(path.stem) in clips:
            other = reading.below(clips[_key(path.stem)])
            reading.problem(path, Kind.CONTRADICTION, f"It bears the same name as {other}, which was kept.")
        else:
            clips[_key(path.stem)] = path
    return clips


def _landmark_files(reading: Reading, clips: dict[str, Path]) -> dict[str, Path]:
    points: dict[str, Path] = {}
    for path in reading.files(reading.root, [".txt"]):
        key = _key(path.stem)
        if not _NAME.fullmatch(path.stem.strip()):
            reading.problem(path, Kind.LEFT_ASIDE, "Its name is not that of a clip.")
        elif key not in clips:
            reading.problem(path, Kind.LABEL_WITHOUT_IMAGE, "There is no clip of this name.")
        elif key in points:
            reading.problem(path, Kind.CONTRADICTION, f"{reading.below(points[key])} is of the same clip and was kept.")
        else:
            points[key] = path
    return points


def _frames(reading: Reading, path: Path) -> list[int]:
    """Numbers of the frames with points, from 0."""
    frames: dict[int, None] = {}
    for line, row in read_numbers(reading, path, header=True):
        frame = whole_number(row[0])
        if len(row) != _NUMBERS_PER_FRAME or frame is None or frame < 0:
            reading.problem(path, Kind.UNREADABLE_LABEL, f"Line {line} is no frame number with 68 points.")
        elif frame in frames:
            reading.problem(path, Kind.CONTRADICTION, f"Line {line} repeats frame {frame}; the first one was kept.")
        else:
            frames[frame] = None
    return list(frames)


def _ratings(reading: Reading, clips: dict[str, Path]) -> dict[str, dict[str, str | float]]:
    """Targets of each rated clip from the workbooks of the groups."""
    ratings: dict[str, dict[str, str | float]] = {}
    books = reading.files(reading.root, [".xlsx"])
    if not books:
        reading.problem(".", Kind.ABSENT, "There is no workbook with ratings.")
    for path in books:
        try:
            sheets = read_sheets(path)
        except CorpusError as error:
            reading.problem(path, Kind.UNREADABLE_LABEL, str(error))
            continue
        rated = [_read_sheet(reading, path, sheet, clips, ratings) for sheet in sheets]
        if not any(rated):
            reading.problem(path, Kind.UNREADABLE_LABEL, "No sheet has a column 'File Name' and ratings.")
    return ratings


def _read_sheet(
    reading: Reading,
    path: Path,
    sheet: list[list[str]],
    clips: dict[str, Path],
    ratings: dict[str, dict[str, str | float]],
) -> bool:
    """Add the ratings of one sheet; whether it has any columns of ratings."""
    plain = [[re.sub(r"[^a-z]", "", cell.casefold()) for cell in row] for row in sheet]
    start = next((number for number, row in enumerate(plain) if "filename" in row), None)
    columns = _rated_columns(plain[start]) if start is not None else {}
    if start is None or not columns:
        return False
    name_column = plain[start].index("filename")
    for line, row in enumerate(sheet[start + 1 :], start=start + 2):
        name = row[name_column] if name_column < len(row) else ""
        if not name:
            continue
        key = _key(re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name))
        if key not in clips:
            reading.problem(path, Kind.LABEL_WITHOUT_IMAGE, f"Row {line} rates {name[:60]!r}, which is no clip here.")
        elif key in ratings:
            reading.problem(path, Kind.CONTRADICTION, f"Row {line} rates {name[:60]!r} again; the first was kept.")
        else:
            ratings[key] = _row(reading, path, line, {n: row[c] for n, c in columns.items() if c < len(row)})
    return True


def _rated_columns(header: list[str]) -> dict[str, int]:
    """`symmetry.slp1` ... -> column; the second column of a name is the second rater's."""
    columns = {}
    times: Counter[str] = Counter()
    for place, cell in enumerate(header):
        rated = next((name for name in _RATED if cell.startswith(name)), None)
        if rated is not None:
            times[rated] += 1
            columns[f"{rated}.slp{times[rated]}"] = place
    return columns


def _row(reading: Reading, path: Path, line: int, cells: dict[str, str]) -> dict[str, str | float]:
    targets: dict[str, str | float] = {}
    for name, cell in cells.items():
        low, high = _RANGES[name.partition(".")[0]]
        value = number_in(cell.replace(",", "."))
        if value is not None and low <= value <= high:
            targets[f"neuroface.{name}"] = value
        elif cell:
            message = f"Row {line} has {name} = {cell[:20]!r}; allowed are {low} to {high}."
            reading.problem(path, Kind.IMPOSSIBLE_VALUE, message)
    for rater in sorted({name.rpartition(".")[2] for name in cells}):
        parts = [targets.get(f"neuroface.{name}.{rater}") for name in _RATED]
        numbers = [part for part in parts if isinstance(part, float)]
        if len(numbers) == len(_RATED) and sum(numbers[:-1]) != numbers[-1]:
            message = (
                f"Row {line}: the total of {rater} is {numbers[-1]:g}, but its items add up to {sum(numbers[:-1]):g}."
            )
            reading.problem(path, Kind.CONTRADICTION, message)
    return targets
