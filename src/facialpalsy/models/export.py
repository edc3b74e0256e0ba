"""Export: a network of exams as one ONNX file with flip averaging inside, to be run without torch.

One run is one exam of any number of photos n:

    images       (n, channels, size, size) float32, photos in 0..1
    expressions  (n,) int64, which expression each shows
    points       (n, points, 2) float32 of the faces; of the region network alone, which the recogniser finds them for

and the outputs are those that the network has of its named tuple (`ExamEstimate`, `Recognition`, `RegionEstimate`), by
these names. Landmarkers, to which photos are no exam, have `models.quantised`.

Weights are stored in half precision, which halves the file, and are computed with in single: the file is the network
`as_stored`, whose weights differ from the trained ones by a part in two thousand at most.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from facialpalsy.writing import atomic_path

OPSET = 18
"""Version of the ONNX operators; later ones have nothing that the network needs, and were no faster."""

_LEAST = 1024
"""Numbers of the smallest weight that is stored in half precision."""

_PHOTOS = 3  # of the exam that is traced; one alone would be taken for the number of every exam


def export_onnx(network: nn.Module, size: int, path: Path, *, channels: int = 3, points: int = 0) -> None:
    """Write `network` to `path`, whole or not at all.

    Args:
        network: A flip-averaged one, of photos and their expressions.
        size: Side of its pictures.
        path: The file.
        channels: Of its pictures.
        points: Of each face, which the network is given besides; 0 for one that is not.

    Raises:
        OutputError: the file cannot be written.
    """
    stored = as_stored(network)
    given = {"images": torch.rand(_PHOTOS, channels, size, size), "expressions": torch.arange(_PHOTOS)}
    if points:
        given["points"] = torch.rand(_PHOTOS, points, 2)
    model = traced(stored, given)
    _halve(model.graph, {name for name, weight in stored.named_parameters() if weight.numel() >= _LEAST})
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def as_stored(network: nn.Module) -> nn.Module:
    """The network that a file written of `network` is, on the CPU and not in training."""
    stored = copy.deepcopy(network).float().cpu().eval()
    for weight in stored.parameters():
        if weight.numel() >= _LEAST:
            weight.data = weight.data.half().float()
    return stored


def traced(network: nn.Module, given: Mapping[str, Tensor]) -> Any:
    """The network as an `onnx.ModelProto`."""
    with torch.no_grad():
        found = network(*given.values())
        program = torch.onnx.export(
            network,
            tuple(given.values()),
            dynamo=True,
            input_names=list(given),
            output_names=[name for name, value in found._asdict().items() if value is not None],
            dynamic_shapes=tuple({0: Dim.DYNAMIC} for _ in given),
            opset_version=OPSET,
            optimize=False,  # onnxruntime does it when it opens the file
            verbose=False,
        )
    assert program is not None  # noqa: S101  it is when no file is named
    model = program.model_proto
    _name_photos(model.graph)
    _forget_source(model.graph)
    return model


def _halve(graph: Any, names: Set[str]) -> None:
    """Store these weights in half precision; onnxruntime makes them single again when it opens the file."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in graph.initializer:
        if weight.name in names and weight.data_type == TensorProto.FLOAT:
            name, half = weight.name, f"{weight.name}.half"
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype("float16"), half))
            casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


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
