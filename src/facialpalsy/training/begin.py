"""Begin: what is checked before the long work, and weights that a training starts from."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from facialpalsy.models.checkpoint import FOREIGN, find_checkpoint, kind_of, load_checkpoint, load_reference
from facialpalsy.models.vit_weights import SUFFIXES, read_weights
from facialpalsy.models.vitau import read_public
from facialpalsy.training.config import GraderTraining, RecogniserTraining, RegionTraining, Training


def require_possible(config: Training) -> None:
    """Refuse a network that cannot be built before anything is prepared for it.

    Raises:
        UsageError: the values of `config.spec` do not fit each other.
    """
    # On the meta device nothing is allocated.
    with torch.device("meta"):
        config.spec.network()


def network_to_begin_with(source: str | Path, config: Training) -> nn.Module:
    """The network of a file that this package wrote, or one whose trunk has the weights of others.

    Those are: for the grader a `.pth` or `.pt` file of the published HTNet; for the recogniser a file of a ViT, or
    timm's name of one; for the regions a file of pSp like psp_ffhq_encode.pt.

    Raises:
        CheckpointError: the file is missing or damaged, or foreign weights do not fit `config.spec`.
        UsageError: timm has no weights of that name.
    """
    vit = isinstance(config, RecogniserTraining)
    if vit and Path(source).suffix not in SUFFIXES:
        return _around(config, source)
    path = find_checkpoint(Path(source))
    if path.suffix in FOREIGN or (vit and kind_of(path) is None):
        return _around(config, path)
    network: nn.Module = load_checkpoint(path, type(config.spec)).network
    return network


def _around(config: Training, source: str | Path) -> nn.Module:
    """A network of random weights but for the trunk."""
    torch.manual_seed(config.seed)
    if isinstance(config, GraderTraining):
        grader = config.spec.network()
        grader.trunk = load_reference(Path(source), config.spec)
        return grader
    if isinstance(config, RecogniserTraining):
        recogniser = config.spec.network()
        recogniser.trunk.load_pretrained(read_weights(source))
        return recogniser
    assert isinstance(config, RegionTraining)  # noqa: S101  there are three kinds
    regions = config.spec.network()
    regions.trunk = config.spec.trunk_from(read_public(Path(source)))
    return regions
