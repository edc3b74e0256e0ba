"""Export: a grader as one ONNX file with flip averaging inside, to be run without torch.

Inputs are `images` and `expressions` of `models.inference.FlipAveraged`, outputs the names of `ExamEstimate` that the
network has. The number of photos is free; one run is one exam.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.models.inference import ExamEstimate, FlipAveraged
from facialpalsy.writing import atomic_path

OPSET = 18

# Any number of photos but 0 and 1, which the exporter would take for fixed.
_PHOTOS = 3


def export_onnx(grader: ExamGrader, path: Path) -> None:
    """Write `grader` with flip averaging to `path`, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    model = to_onnx(grader)
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
