"""Synthetic exams: patients rendered when they are first asked for, and kept as one file each."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import PreparationError, SyntheticPatientError
from facialpalsy.face import Landmarks, Side, align, face_frame
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE, CROP_ORIGIN
from facialpalsy.face.regions import FACE_REGIONS
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.population import Wanted, check_setting, wanted_people
from facialpalsy.synth.shot import ZONE_VALUES, draw_shot, photograph
from facialpalsy.synth.truth import exam_truth
from facialpalsy.training.exams import REGION_SIZE, ExamLabel, ExamPhotos
from facialpalsy.training.targets import COLUMNS, exam_targets, joined, photo_targets
from facialpalsy.writing import atomic_path, make_folder

_BLOCK = 120
"""People in whose number each grade is as frequent as any other, as in `synth.stream`."""

_KEPT = COLUMNS | {"subject", "affected_side"}
_REGION_NAMES = {
    (zone, side): {Zone.EYE: f"{side}_eye", Zone.MIDFACE: "nose"}.get(zone, zone.value)
    for zone in Zone
    for side in Side
}
_REGION_OF_ZONE = np.zeros(1 + len(ZONE_VALUES), np.uint8)
for (_side, _zone), _value in ZONE_VALUES.items():
    _REGION_OF_ZONE[_value] = 1 + FACE_REGIONS.index(_REGION_NAMES[_zone, _side])


class SyntheticExams:
    """Exams of synthetic patients, one photo of each expression; they are the people of `synth.stream.PatientStream`.

    The same arguments give the same exams anywhere. What `folder` holds is not rendered again.

    Args:
        seed: Of the people.
        setting: Setting of look and motion, `a` or `b`.
        people: How many, or their numbers.
        size: Side of the aligned photos in pixels.
        folder: Where rendered exams are kept; one folder per seed, setting and size.

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
            _write(path, *kept)
        photos, zones, labels = kept
        if photos.shape[1] != self.size or labels[0]["subject"] != self.labels[place].subject:
            raise PreparationError(
                f"{path.name!r} in {self.folder.name!r} holds {labels[0]['subject']!r} at {photos.shape[1]} pixels; "
                f"{self.labels[place].subject!r} at {self.size} is wanted. Give every seed, setting and size its own "
                "folder."
            )
        affected = labels[0]["affected_side"]
        return ExamPhotos(
            torch.from_numpy(photos).permute(0, 3, 1, 2),
            torch.arange(len(photos)),
            torch.from_numpy(_REGION_OF_ZONE[zones]),
            joined(photo_targets(one) for one in labels),
            torch.from_numpy(exam_targets(labels[0])),
            Side(affected) if affected in tuple(Side) else None,
        )

    def _label(self, number: int) -> ExamLabel:
        # The name that `Wanted.drawn` gives, without drawing anybody.
        subject = f"{self.setting}{self.seed}-{number:05d}"
        return ExamLabel(subject, subject, self._wanted(number).grade or 0)

    def _wanted(self, number: int) -> Wanted:
        block, place = divmod(number, _BLOCK)
        return wanted_people(_BLOCK, self.seed, self.setting, block=block)[place]

    def _rendered(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[dict[str, Any]]]:
        """(9, size, size, 3) photos, (9, REGION_SIZE, REGION_SIZE) zones, and the labels of each photo."""
        model = face_model()
        patient = self._wanted(number).drawn(number, self.seed, self.setting)
        truth, photos, zones, labels = exam_truth(model, patient), [], [], []
        for expression in Expression:
            picture = photograph(model, draw_shot(patient, expression, 0))
            photos.append(align(picture.frame.pixels, picture.landmarks, self.size)[0])
            zones.append(_aligned_zones(picture.zones(model), picture.landmarks))
            row = picture_labels(picture, truth)
            labels.append({name: row[name] for name in sorted(_KEPT & row.keys())})
        return np.stack(photos), np.stack(zones), labels


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


def _write(path: Path, photos: NDArray[np.uint8], zones: NDArray[np.uint8], labels: list[dict[str, Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, crops=photos, zones=zones, rows=np.array(json.dumps(labels)))


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[dict[str, Any]]] | None:
    """What `_write` wrote; None where there is no such file or it is damaged."""
    try:
        with np.load(path) as kept:
            return kept["crops"], kept["zones"], json.loads(str(kept["rows"]))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
