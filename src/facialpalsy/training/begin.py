"""Begin: what is checked before the long work, and weights that a training starts from."""

from __future__ import annotations

from pathlib import Path

import torch

from facialpalsy.models.checkpoint import FOREIGN, find_checkpoint, load_checkpoint, load_reference
from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.models.registry import GraderSpec
from facialpalsy.training.config import GraderTraining, Training


def require_possible(config: Training) -> None:
    """Refuse a network that cannot be built before anything is prepared for it.

    Raises:
        UsageError: the values of `config.spec` do not fit each other.
    """
    # On the meta device nothing is allocated.
    with torch.device("meta"):
        config.spec.network()


def grader_to_begin_with(path: Path, config: GraderTraining) -> ExamGrader:
    """The grader of a `.safetensors` file, or one whose trunk has the weights of a foreign `.pth` or `.pt` file.

    Raises:
        CheckpointError: the file is missing or damaged, or foreign weights do not fit `config.spec`.
    """
    found = find_checkpoint(path)
    if found.suffix not in FOREIGN:
        network: ExamGrader = load_checkpoint(found, GraderSpec).network
        return network
    torch.manual_seed(config.seed)
    network = config.spec.network()
    network.trunk = load_reference(found, config.spec)
    return network
