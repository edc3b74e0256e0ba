"""Shipped weights: a patch landmarker of the package as a network that can be trained on, from its 8-bit file.

In the file each normalisation is part of the convolution before it. Here each gets back one that changes nothing yet.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from facialpalsy.models.patch_landmarker import PatchLandmarker, PatchLandmarkerSpec

_INTEGERS = "_quantized"


def shipped(name: str, spec: PatchLandmarkerSpec, pictures: Tensor) -> PatchLandmarker:
    """The network `name`, whose normalisations fit (n, 3, rows, columns) pictures."""
    found, network = _floats(name), spec.network()
    known = {one: torch.from_numpy(found.pop(one).copy()) for one in network.state_dict() if one in found}
    network.load_state_dict({**network.state_dict(), **known})
    fitted: list[tuple[nn.BatchNorm2d, Tensor]] = []
    for place, part in network.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            parent, number = place.rsplit(".", 1)
            part.bias.data = torch.from_numpy(found.pop(f"{parent}.{int(number) - 1}.bias").copy())
            part.running_var.fill_(1 - part.eps)
            part.register_forward_pre_hook(lambda part, given: fitted.append((part, given[0])))
    assert not found, f"no place for {sorted(found)}"  # noqa: S101
    with torch.inference_mode():
        network.eval().features(pictures)
    for part, seen in fitted:
        part._forward_pre_hooks.clear()
        part.running_mean.copy_(seen.mean((0, 2, 3)))
        part.running_var.copy_(seen.var((0, 2, 3)))
        part.weight.data = (part.running_var + part.eps).sqrt()
        part.bias.data = part.bias.data + part.running_mean
    return network


def _floats(name: str) -> dict[str, NDArray[np.float32]]:
    """Weights and biases by name, in single precision."""
    file = Path(str(resources.files("facialpalsy.weights"))) / f"{name}.onnx"
    stored = {one.name: numpy_helper.to_array(one) for one in onnx.load(file).graph.initializer}
    found = {}
    for key, value in stored.items():
        plain = key.removesuffix(_INTEGERS)
        if key.endswith(f"weight{_INTEGERS}"):
            found[plain] = value * stored[f"{plain}_scale"].reshape(-1, 1, 1, 1)
        elif key.endswith(f"bias{_INTEGERS}"):
            found[plain] = value * stored[f"{key}_scale"]
        elif key.endswith((".weight", ".bias")) or key == "factors":
            found[key] = value
    return {key: value.astype(np.float32) for key, value in found.items()}
