"""Quantised: a network of points as one ONNX file that computes in 8-bit integers, nearly four times as fast on a CPU.

Each convolution multiplies integers; the first, which sees the picture, and the last, which make the heat maps, stay in
single precision, because there it costs most accuracy and saves least time. Weights have seven bits, so that a
processor that adds pairs of products in 16 bits finds what others find. Ranges are those seen on given pictures, less
the outermost thousandth of a per cent (Jacob et al. 2018, arXiv:1712.05877).
"""

from __future__ import annotations

import copy
import itertools
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from facialpalsy.models.export import traced
from facialpalsy.models.face_finder import FaceFinder
from facialpalsy.models.landmarker import OrderedLandmarker
from facialpalsy.models.patch_landmarker import PatchLandmarker
from facialpalsy.writing import atomic_path

_FIRST, _LAST = "embed.0.", ("maps.", "covers.2.")
"""Parts of the names of weights whose convolutions stay in single precision."""

_QUANTISED = ("Conv", "Add", "Relu", "Resize")


def export_quantised(
    network: OrderedLandmarker | PatchLandmarker | FaceFinder, path: Path, pictures: Sequence[Tensor]
) -> None:
    """Write `network` to `path`, whole or not at all.

    Args:
        network: Its ONNX file has the inputs and outputs that `export_onnx` names.
        path: The file.
        pictures: Batches (n, 3, rows, columns) in 0..1 such as it will see, of one size; not of people of a test.

    Raises:
        OutputError: the file cannot be written.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if isinstance(network, OrderedLandmarker):
        # The halves pass separate copies in the file: only a set that is its own mirror image gives both one range.
        pictures = [torch.cat([one, one.flip(-1)]) for one in pictures]
    model = traced(_folded(network), {"images": torch.rand(3, *pictures[0].shape[1:])})
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
        folded = Path(folder) / "folded.onnx"
        quant_pre_process(model, folded, skip_symbolic_shape=True)
        # It recommends to do what has just been done.
        logging.disable(logging.WARNING)
        try:
            quantize_static(
                folded,
                temporary,
                _Pictures(pictures),
                op_types_to_quantize=_QUANTISED,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=_single(folded),
                calibrate_method=CalibrationMethod.Percentile,
            )
        finally:
            logging.disable(logging.NOTSET)


def _folded(network: nn.Module) -> nn.Module:
    """The network on the CPU and not in training, each normalisation as part of the convolution before it."""
    folded = copy.deepcopy(network).float().cpu().eval()
    for steps in [part for part in folded.modules() if isinstance(part, nn.Sequential)]:
        for place, (first, second) in enumerate(itertools.pairwise(steps)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                steps[place], steps[place + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return folded


def _single(path: Path) -> list[str]:
    """Names of the operations that stay in single precision: the first convolution, the last and all after them."""
    import onnx

    names: list[str] = []
    after: set[str] = set()
    for node in onnx.load(path).graph.node:
        last = node.op_type == "Conv" and any(part in node.input[1] for part in _LAST)
        if last or after.intersection(node.input):
            after.update(node.output)
        elif not (node.op_type == "Conv" and _FIRST in node.input[1]):
            continue
        names.append(node.name)
    return names


class _Pictures:
    """What `quantize_static` asks for batches of pictures."""

    def __init__(self, pictures: Sequence[Tensor]) -> None:
        self._left: Iterator[Tensor] = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._left, None)
        return None if batch is None else {"images": batch.numpy()}
