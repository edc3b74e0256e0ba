"""Synthetic exams: patients rendered when they are first asked for, and kept as one file each."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import PreparationError, SyntheticPatientError
from facialpalsy.face import DENSE, Landmarks, Side, align, face_frame
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE, CROP_ORIGIN
from facialpalsy.face.regions import FACE_REGIONS
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.population import Wanted, check_setting, wanted_people
from facialpalsy.synth.shot import ZONE_VALUES, draw_shot, photograph, pose
from facialpalsy.synth.truth import exam_truth, frame_labels
from facialpalsy.training.au_targets import palsy_labels, unit_centres
from facialpalsy.training.exams import REGION_SIZE, ExamLabel, ExamPhotos
from facialpalsy.training.targets import COLUMNS, exam_targets, joined, photo_targets
from facialpalsy.writing import atomic_path, make_folder

_BLOCK = 120
"""People in whose number each grade is as frequent as any other, as in `synth.stream`."""

_PALSY = frozenset(f"palsy_{unit}_{side}" for unit in PALSY_UNITS for side in Side)
_KEPT = COLUMNS | _PALSY | {"subject", "affected_side"}
_REGION_NAMES = {
    (zone, side): {Zone.EYE: f"{side}_eye", Zone.MIDFACE: "nose"}.get(zone, zone.value)
    for zone in Zone
    for side in Side
}
_REGION_OF_ZONE = np.zeros(1 + len(ZONE_VALUES), np.uint8)
for (_side, _zone), _value in ZONE_VALUES.items():
    _REGION_OF_ZONE[_value] = 1 + FACE_REGIONS.index(_REGION_NAMES[_zone, _side])


class _Kept(NamedTuple):
    """What is kept of an exam of nine photos.

    Attributes:
        photos: (9, size, size, 3).
        zones: (9, REGION_SIZE, REGION_SIZE).
        points: (9, DENSE, 2) x and y as shares of the photo.
        labels: Of each photo.
    """

    photos: NDArray[np.uint8]
    zones: NDArray[np.uint8]
    points: NDArray[np.float32]
    labels: list[dict[str, Any]]


class SyntheticExams:
    """Exams of synthetic patients, one photo of each expression; they are the people of `synth.stream.PatientStream`.

    The same arguments give the same exams anywhere. What `folder` holds is not rendered again.

    Args:
        seed: Of the people.
        setting: Setting of look and motion, `a`, `b` or `c`.
        people: How many, or their numbers.
        size: Side of the aligned photos in pixels.
        folder: Where rendered exams are kept, one folder per seed and setting; those of a larger size are shrunk.

    Attributes:
        labels: One per exam.

    Raises:
        SyntheticPatientError: no such setting, or no people.
    """

    def __init__(self, seed: int, setting: str, people: int | range, size: int, folder: Path) -> None:
        check_setting(setting)
        self.numbers = range(people) if isinstance(people, int) else people
        if not self.numbers or min(self.numbers) < 0:
            raise SyntheticPatientError(
                f"{people} synthetic patients were asked for; give at least one, from number 0."
            )
        self.seed, self.setting, self.size, self.folder = seed, setting, size, make_folder(folder)
        self.labels = [self._label(number) for number in self.numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> ExamPhotos:
        number = self.numbers[place]
        path = self.folder / f"{number:05d}.npz"
        kept = _read(path)
        if kept is None:
            kept = self._rendered(number)
            _write(path, kept)
        photos, zones, points, labels = kept
        if photos.shape[1] < self.size or labels[0]["subject"] != self.labels[place].subject:
            raise PreparationError(
                f"{path.name!r} in {self.folder.name!r} holds {labels[0]['subject']!r} at {photos.shape[1]} pixels; "
                f"{self.labels[place].subject!r} at {self.size} or more is wanted. Give every seed and setting its own "
                "folder."
            )
        pictures = _shrunk(torch.from_numpy(photos).permute(0, 3, 1, 2), self.size)
        return _exam(pictures, torch.from_numpy(_REGION_OF_ZONE[zones]), points, labels)

    def posed(self, place: int) -> ExamPhotos:
        """The exam without its pictures and regions, which are empty: labels and points need no rendering."""
        model, number = face_model(), self.numbers[place]
        patient = self._wanted(number).drawn(number, self.seed, self.setting)
        truth, points, labels = exam_truth(model, patient), [], []
        for expression in Expression:
            shot = draw_shot(patient, expression, 0)
            face, landmarks = pose(model, shot)
            there = face_frame(landmarks).to_frame(landmarks.points)
            points.append((CROP_CANTHUS_DISTANCE * there + CROP_ORIGIN).astype(np.float32))
            labels.append(frame_labels(patient, shot.take, face, truth))
        return _exam(torch.zeros(len(points), 0), torch.zeros(len(points), 0), np.stack(points), labels)

    def _label(self, number: int) -> ExamLabel:
        # The name that `Wanted.drawn` gives, without drawing anybody.
        subject = f"{self.setting}{self.seed}-{number:05d}"
        grade = self._wanted(number).grade
        return ExamLabel(subject, subject, grade or 0, None if grade is None else grade > 1)

    def _wanted(self, number: int) -> Wanted:
        block, place = divmod(number, _BLOCK)
        return wanted_people(_BLOCK, self.seed, self.setting, block=block)[place]

    def _rendered(self, number: int) -> _Kept:
        model = face_model()
        patient = self._wanted(number).drawn(number, self.seed, self.setting)
        truth, photos, zones, points, labels = exam_truth(model, patient), [], [], [], []
        for expression in Expression:
            picture = photograph(model, draw_shot(patient, expression, 0))
            photo, landmarks = align(picture.frame.pixels, picture.landmarks, self.size)
            photos.append(photo)
            points.append((landmarks.points / self.size).astype(np.float32))
            zones.append(_aligned_zones(picture.zones(model), picture.landmarks))
            row = picture_labels(picture, truth)
            labels.append({name: row[name] for name in sorted(_KEPT & row.keys())})
        return _Kept(np.stack(photos), np.stack(zones), np.stack(points), labels)


def _exam(
    photos: Tensor, regions: Tensor, points: NDArray[np.float32], labels: Sequence[Mapping[str, Any]]
) -> ExamPhotos:
    affected = labels[0]["affected_side"]
    return ExamPhotos(
        photos,
        torch.arange(len(photos)),
        regions,
        joined(photo_targets(one) for one in labels),
        torch.from_numpy(exam_targets(labels[0])),
        Side(affected) if affected in tuple(Side) else None,
        torch.from_numpy(palsy_labels({name: labels[0][name] for name in _PALSY})),
        torch.from_numpy(np.stack([unit_centres(Landmarks(DENSE, one.astype(float), (1, 1))) for one in points])),
        torch.from_numpy(points),
    )


def _aligned_zones(zones: NDArray[np.uint8], landmarks: Landmarks) -> NDArray[np.uint8]:
    """The zone picture cut out as `face.align` does, without mixing zones."""
    frame = face_frame(landmarks)
    linear = CROP_CANTHUS_DISTANCE * REGION_SIZE / frame.iod * np.stack([frame.u, frame.n])
    shift = np.array(CROP_ORIGIN) * REGION_SIZE - linear @ frame.origin
    inverse = np.linalg.inv(linear)
    backward = np.column_stack([inverse, -inverse @ shift]).ravel().tolist()
    side = (REGION_SIZE, REGION_SIZE)
    cut = Image.fromarray(zones).transform(side, Image.Transform.AFFINE, backward, Image.Resampling.NEAREST)
    return np.asarray(cut)


def _shrunk(photos: Tensor, size: int) -> Tensor:
    if photos.shape[-1] == size:
        return photos
    return F.interpolate(photos.float(), (size, size), mode="bilinear", antialias=True).round().to(torch.uint8)


def _write(path: Path, kept: _Kept) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        rows = np.array(json.dumps(kept.labels))
        np.savez(file, crops=kept.photos, zones=kept.zones, points=kept.points, rows=rows)


def _read(path: Path) -> _Kept | None:
    """What `_write` wrote; None where there is no such file or it is damaged."""
    try:
        with np.load(path) as kept:
            return _Kept(kept["crops"], kept["zones"], kept["points"], json.loads(str(kept["rows"])))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
