"""Tested: the exams that models are asked about, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.cli.asked import Arrays, Asked, photos_of
from facialpalsy.preparation import Prepared

if TYPE_CHECKING:
    from facialpalsy.training.exams import ExamLabel, PreparedExams


Answer: TypeAlias = "tuple[ExamLabel, Sequence[Prepared], Arrays]"
"""An exam, its photos, and what a model says of them."""


@dataclass(frozen=True, eq=False)
class Tested:
    """Exams of the test people, and of those whom the baselines learn from, if a split names them, and which it is."""

    test: PreparedExams
    train: PreparedExams | None
    split: str

    @property
    def left_out(self) -> Mapping[str, int]:
        """Why photos were left out -> how many."""
        return self.test.left_out

    def answers(self, model: Asked) -> Iterator[Answer]:
        """What a model says of each exam."""
        for number, (label, rows) in enumerate(zip(self.test.labels, self.test.rows, strict=True)):
            photos = self.test[number]
            yield (
                label,
                rows,
                model.run(photos_of(_sized(photos.images.numpy(), model.size), photos.expressions.numpy())),
            )


@dataclass(frozen=True, eq=False)
class Tables:
    """What an evaluation writes.

    Attributes:
        page: Lines of Markdown.
        figures: Rows of the table of figures.
        predictions: One row for each answer.
    """

    page: Sequence[str]
    figures: Sequence[Mapping[str, object]]
    predictions: Sequence[Mapping[str, object]]


def _sized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(n, 3, s, s) photos in another size."""
    if images.shape[-1] == size:
        return images
    pictures = (
        Image.fromarray(one).resize((size, size), Image.Resampling.BICUBIC) for one in images.transpose(0, 2, 3, 1)
    )
    return np.ascontiguousarray(np.stack([np.asarray(one) for one in pictures]).transpose(0, 3, 1, 2))
