"""Begin: weights that a training starts from, of this package or of the published network."""

from __future__ import annotations

from pathlib import Path

import torch

from facialpalsy.models.checkpoint import FOREIGN, find_checkpoint, load_checkpoint, load_reference
from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.training.config import GraderTraining


def grader_to_begin_with(path: Path, config: GraderTraining) -> ExamGrader:
    """The grader of a `.safetensors` file, or one whose trunk has the weights of a foreign `.pth` or `.pt` file.

    Raises:
        CheckpointError: the file is missing or damaged, or foreign weights do not fit `config.spec`.
    """
    found = find_checkpoint(path)
    if found.suffix not in FOREIGN:
        return load_checkpoint(found).network
    torch.manual_seed(config.seed)
    network = config.spec.network()
    network.trunk = load_reference(found, config.spec)
    return network
