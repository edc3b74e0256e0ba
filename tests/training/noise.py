"""Made-up exams of noise, so that the machinery of training is tested in seconds and without the face model."""

from dataclasses import replace

import torch

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.face import DENSE, Side
from facialpalsy.models.landmarker import LandmarkerSpec
from facialpalsy.models.registry import PRESETS
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import REGION_SIZE, ExamLabel, ExamPhotos
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS

SIZE = 40


class NoiseExams:
    """Exams of `photos` photos each; exam i is of person i, and everything known of it follows from i and `first`."""

    def __init__(self, count, first=0, photos=2, known=True):
        self.first, self.photos, self.known = first, photos, known
        self.labels = [_label(first + i) for i in range(count)]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        random = torch.Generator().manual_seed(self.first + number)
        images = torch.randint(0, 256, (self.photos, 3, SIZE, SIZE), generator=random, dtype=torch.uint8)
        regions = torch.randint(0, 6, (self.photos, REGION_SIZE, REGION_SIZE), generator=random, dtype=torch.uint8)
        photo = torch.randn(self.photos, len(PHOTO_TARGETS), 2, generator=random)
        exam = torch.randn(len(EXAM_TARGETS), 2, generator=random)
        if not self.known:
            regions, photo, exam = regions.new_full(regions.shape, 255), photo * torch.nan, exam * torch.nan
        units = torch.randint(0, 2, (len(PALSY_UNITS), 2), generator=random).float()
        centres = torch.rand(self.photos, len(PALSY_UNITS), 2, 2, generator=random)
        if not self.known:
            units, centres = units * torch.nan, centres * torch.nan
        points = torch.rand(self.photos, DENSE.size, 2, generator=random) * (1 if self.known else torch.nan)
        side = (None, *Side)[number % 3]
        return ExamPhotos(images, torch.arange(self.photos), regions, photo, exam, side, units, centres, points)


def _label(number):
    grade = 1 + number % 6
    return ExamLabel(f"p{number}", f"exam{number}", grade, grade > 1)


POINTS = LandmarkerSpec(image_size=48, widths=(4, 8, 8, 8), layers=(1, 1, 1))
"""A landmarker of seconds, at 48 pixels."""


def small_training(*, points=False, **changes):
    """Settings of a training that takes seconds, at 32 pixels, or at 48 with the reader of points."""
    spec = replace(PRESETS["tiny"], image_size=32, patch_size=8, dim=8, heads=2, hidden=8, block_repeats=(1, 2, 1))
    if points:
        spec = replace(spec, image_size=48, patch_size=12, landmarker=POINTS)
    return GraderTraining(**{"spec": spec, "epochs": 3, "batch_size": 4, "ema": 0.9, **changes})
