"""Export: a network of exams as one ONNX file with flip averaging inside, to be run without torch.

One run is one exam of any number of photos n:

    images       (n, channels, size, size) float32, photos in 0..1
    expressions  (n,) int64, which expression each shows

and the outputs are those that the network has of its named tuple (`ExamEstimate`, `Recognition`, `RegionEstimate`), by
these names.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from facialpalsy.writing import atomic_path

OPSET = 18
"""Version of the ONNX operators; later ones have nothing that the network needs, and were no faster."""

_PHOTOS = 3  # of the exam that is traced; one alone would be taken for the number of every exam


def export_onnx(network: nn.Module, size: int, path: Path, *, channels: int = 3) -> None:
    """Write `network` to `path`, whole or not at all.

    Args:
        network: A flip-averaged one, of photos and their expressions.
        size: Side of its pictures.
        path: The file.
        channels: Of its pictures.

    Raises:
        OutputError: the file cannot be written.
    """
    model = _traced(copy.deepcopy(network).float().cpu().eval(), torch.rand(_PHOTOS, channels, size, size))
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _traced(network: nn.Module, images: Tensor) -> Any:
    """The network as an `onnx.ModelProto`."""
    expressions = torch.arange(_PHOTOS)
    with torch.no_grad():
        found = network(images, expressions)
        program = torch.onnx.export(
            network,
            (images, expressions),
            dynamo=True,
            input_names=["images", "expressions"],
            output_names=[name for name, value in found._asdict().items() if value is not None],
            dynamic_shapes=({0: Dim.DYNAMIC}, {0: Dim.DYNAMIC}),
            opset_version=OPSET,
            optimize=False,  # onnxruntime does it when it opens the file
            verbose=False,
        )
    assert program is not None  # noqa: S101  it is when no file is named
    model = program.model_proto
    _name_photos(model.graph)
    _forget_source(model.graph)
    return model


def _name_photos(graph: Any) -> None:
    """Call the number of photos n."""
    for value in (*graph.input, *graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = "n"


def _forget_source(graph: Any) -> None:
    """Remove what the exporter noted beside the graph: lines of code with the folders of this machine."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
    del graph.metadata_props[:]
