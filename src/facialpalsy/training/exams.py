"""Exams: what a training learns from, one person's exam at a time, and how several become one batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import LandmarkFileError, PreparationError, SwappedSidesError
from facialpalsy.face import DENSE, ReferenceSide, Side
from facialpalsy.face.regions import face_regions
from facialpalsy.preparation.prepared import Prepared
from facialpalsy.training.au_targets import palsy_labels, unit_centres
from facialpalsy.training.targets import exam_targets, joined, labels_of, photo_targets

EXPRESSIONS = tuple(Expression)
NOT_KNOWN = len(EXPRESSIONS)
"""Slot of a photo whose expression nobody names."""

REGION_SIZE = 64
"""Side of the region pictures that training reads."""

UNKNOWN_REGION = 255

Needed = Literal["grade", "palsy", "unit"]


class ExamPhotos(NamedTuple):
    """The photos of one exam and all that is known of them.

    Attributes:
        images: (n, 3, size, size) uint8 RGB, aligned and un-mirrored.
        expressions: (n,) index into `Expression`, `NOT_KNOWN` where nobody names it.
        regions: (n, REGION_SIZE, REGION_SIZE) uint8: 1 + place in `FACE_REGIONS`, 0 elsewhere, or all `UNKNOWN_REGION`.
        photo_truth: (n, PHOTO_TARGETS, 2), NaN where not known.
        exam_truth: (EXAM_TARGETS, 2), NaN where not known.
        side: Affected side, the subject's own; None for healthy people and where it is not known.
        units: (PALSY_UNITS, 2) 1 where a unit is palsied on the left or right, 0 where not, NaN where not known.
        centres: (n, PALSY_UNITS, 2, 2) of `au_targets.unit_centres`, NaN where no landmarks are known.
        points: (n, DENSE, 2) x and y as shares of the photo, NaN where they are not known.
    """

    images: Tensor
    expressions: Tensor
    regions: Tensor
    photo_truth: Tensor
    exam_truth: Tensor
    side: Side | None
    units: Tensor
    centres: Tensor
    points: Tensor


@dataclass(frozen=True)
class ExamLabel:
    """What is known of an exam without reading a photo.

    Attributes:
        subject: Whose it is; the unit of every split.
        key: Unique name within the data.
        grade: House-Brackmann 1 to 6; 0 where not known.
        palsy: Whether the face is palsied; None where not known.
    """

    subject: str
    key: str
    grade: int
    palsy: bool | None


class Exams(Protocol):
    """Exams to train or validate on: a list of labels, and the photos of each by its number."""

    labels: Sequence[ExamLabel]

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> ExamPhotos: ...


class Batch(NamedTuple):
    """Exams of one step, their photos one after the other; n photos of e exams.

    Attributes:
        images: (n, 3, size, size), uint8 as read or float 0 to 1 once augmented.
        expressions: (n,) as in `ExamPhotos`.
        exam: (n,) which exam each photo belongs to, from 0.
        regions: (n, REGION_SIZE, REGION_SIZE) as in `ExamPhotos`.
        photo_truth: (n, PHOTO_TARGETS, 2).
        exam_truth: (e, EXAM_TARGETS, 2).
        grade: (e,) 0 to 5; -1 where not known.
        side: (e,) 1 left, 0 right, NaN where there is none or it is not known.
        number: (e,) which exam of the data each is.
        palsy: (e,) 1 or 0, NaN where not known.
        units: (e, PALSY_UNITS, 2) as in `ExamPhotos`.
        centres: (n, PALSY_UNITS, 2, 2) as in `ExamPhotos`.
        points: (n, DENSE, 2) as in `ExamPhotos`.
    """

    images: Tensor
    expressions: Tensor
    exam: Tensor
    regions: Tensor
    photo_truth: Tensor
    exam_truth: Tensor
    grade: Tensor
    side: Tensor
    number: Tensor
    palsy: Tensor
    units: Tensor
    centres: Tensor
    points: Tensor


class Numbered(Dataset[tuple[int, ExamLabel, ExamPhotos]]):
    """Exams with their numbers and labels, as a data loader wants them."""

    def __init__(self, exams: Exams) -> None:
        self.exams = exams

    def __len__(self) -> int:
        return len(self.exams)

    def __getitem__(self, number: int) -> tuple[int, ExamLabel, ExamPhotos]:
        return number, self.exams.labels[number], self.exams[number]


def join(exams: Sequence[tuple[int, ExamLabel, ExamPhotos]]) -> Batch:
    """The batch of several exams."""
    photos = [one for _, _, one in exams]
    counts = torch.tensor([len(one.images) for one in photos])
    side = {Side.LEFT: 1.0, Side.RIGHT: 0.0, None: float("nan")}
    return Batch(
        torch.cat([one.images for one in photos]),
        torch.cat([one.expressions for one in photos]),
        torch.arange(len(photos)).repeat_interleave(counts),
        torch.cat([one.regions for one in photos]),
        torch.cat([one.photo_truth for one in photos]),
        torch.stack([one.exam_truth for one in photos]),
        torch.tensor([label.grade - 1 for _, label, _ in exams]),
        torch.tensor([side[one.side] for one in photos]),
        torch.tensor([number for number, _, _ in exams]),
        torch.tensor([float("nan") if label.palsy is None else float(label.palsy) for _, label, _ in exams]),
        torch.stack([one.units for one in photos]),
        torch.cat([one.centres for one in photos]),
        torch.cat([one.points for one in photos]),
    )


class PreparedExams:
    """Exams of a prepared corpus; photos are read when they are asked for.

    Attributes:
        labels: One per exam.
        rows: The photos of each.
        left_out: Why rows were left out -> how many.
        size: Side in pixels that photos are read at.
    """

    def __init__(
        self, labels: Sequence[ExamLabel], rows: Sequence[Sequence[Prepared]], size: int, left_out: Mapping[str, int]
    ) -> None:
        self.labels, self.rows, self.size, self.left_out = labels, rows, size, left_out

    def __len__(self) -> int:
        return len(self.labels)

    def units(self, number: int) -> NDArray[np.float32]:
        """(PALSY_UNITS, 2) labels of an exam, without reading its photos."""
        return palsy_labels(labels_of(self.rows[number][0].targets))

    def __getitem__(self, number: int) -> ExamPhotos:
        rows = self.rows[number]
        labels = [labels_of(row.targets) for row in rows]
        return ExamPhotos(
            torch.stack([_image(row, self.size) for row in rows]),
            torch.tensor([_slot(row) for row in rows]),
            torch.from_numpy(np.stack([_regions(row) for row in rows])),
            joined(photo_targets(one) for one in labels),
            torch.from_numpy(exam_targets(labels[0])),
            _side(rows),
            torch.from_numpy(self.units(number)),
            torch.from_numpy(np.stack([_centres(row) for row in rows])),
            torch.from_numpy(np.stack([_points(row) for row in rows])),
        )


def exams_of(rows: Iterable[Prepared], size: int, needed: Needed = "grade") -> PreparedExams:
    """The exams among the rows of a prepared corpus.

    Photos of one subject and one capture are an exam together. Without a capture those with a named expression are one
    too, and each of the others is its own. Rows without what is needed or without a face are left out and counted.

    Args:
        rows: Rows of `read_prepared`.
        size: Side in pixels that photos are read at.
        needed: Which label a photo must have: its grade, whether there is a palsy, or the palsy of a unit.

    Raises:
        LabelsError: labels of units are impossible.
        PreparationError: the photos of one exam have different grades.
    """
    left_out: Counter[str] = Counter()
    groups: dict[tuple[str, ...], list[Prepared]] = {}
    for row in rows:
        if not _has(row, needed) or not row.crops:
            left_out["no face" if _has(row, needed) else f"no {needed}"] += 1
        else:
            alone = not row.capture and row.expression is None
            groups.setdefault((row.corpus, row.subject, row.capture, row.key if alone else ""), []).append(row)
    return PreparedExams([_label(group) for group in groups.values()], list(groups.values()), size, dict(left_out))


def _label(rows: Sequence[Prepared]) -> ExamLabel:
    first = rows[0]
    if differing := sorted({str(row.grade) for row in rows} - {str(first.grade)}):
        raise PreparationError(
            f"Photos of exam {first.capture!r} of {first.subject!r} have the grades {first.grade} and "
            f"{', '.join(differing)}; an exam has one. Correct the labels, or name captures of their own."
        )
    return ExamLabel(first.subject, f"{first.corpus}/{first.key}", int(first.grade or 0), _palsy(rows))


def _has(row: Prepared, needed: Needed) -> bool:
    if needed == "grade":
        return row.grade is not None
    if needed == "palsy":
        return _palsy([row]) is not None
    return bool(np.isfinite(palsy_labels(labels_of(row.targets))).any())


def _palsy(rows: Sequence[Prepared]) -> bool | None:
    """What the grade says, or else whether a side is named as affected."""
    if rows[0].grade is not None:
        return rows[0].grade > 1
    affected = {row.affected for row in rows} - {ReferenceSide.UNKNOWN}
    return affected != {ReferenceSide.NONE} if affected else None


def _side(rows: Sequence[Prepared]) -> Side | None:
    sides = {row.affected for row in rows}
    return Side(sides.pop().value) if sides in ({ReferenceSide.LEFT}, {ReferenceSide.RIGHT}) else None


def _slot(row: Prepared) -> int:
    return NOT_KNOWN if row.expression is None else EXPRESSIONS.index(row.expression)


def _image(row: Prepared, size: int) -> Tensor:
    larger = [side for side in row.crops if side >= size]
    path = row.crops[min(larger) if larger else max(row.crops)]
    try:
        with Image.open(path) as picture:
            pixels = np.array(picture.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
    except OSError as error:
        raise PreparationError(
            f"The crop {path.name!r} of {row.key!r} cannot be read ({error}); run `facialpalsy prepare` again."
        ) from None
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _regions(row: Prepared) -> NDArray[np.uint8]:
    landmarks = row.landmarks(REGION_SIZE)
    try:
        if landmarks is not None:
            return region_picture(face_regions(landmarks, REGION_SIZE))
    except (LandmarkFileError, SwappedSidesError):
        pass  # points without what a region needs teach no region
    return np.full((REGION_SIZE, REGION_SIZE), UNKNOWN_REGION, np.uint8)


def _centres(row: Prepared) -> NDArray[np.float32]:
    landmarks = row.landmarks(REGION_SIZE)
    try:
        if landmarks is not None:
            return unit_centres(landmarks)
    except LandmarkFileError:
        pass  # points without what a centre needs teach no heat map
    return np.full((len(PALSY_UNITS), 2, 2), np.nan, np.float32)


def _points(row: Prepared) -> NDArray[np.float32]:
    landmarks = row.landmarks(REGION_SIZE)
    if landmarks is None or landmarks.scheme is not DENSE:
        return np.full((DENSE.size, 2), np.nan, np.float32)
    return (landmarks.points / REGION_SIZE).astype(np.float32)


def region_picture(regions: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(5, size, size) masks as one picture: 1 + number of the region, 0 elsewhere."""
    numbers = np.arange(1, len(regions) + 1, dtype=np.uint8)
    return np.asarray((regions * numbers[:, None, None]).max(axis=0))
