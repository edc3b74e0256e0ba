"""Regions of ViTAU: time per photo of each preset, and memory to load and ask the public size.

python benchmarks/vitau.py           # random weights; a file of 1.2 GB in the public layout is written and removed
Times are medians of interleaved runs on the threads that torch takes by default; memory is the peak of a fresh process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from facialpalsy.models.export import OPSET
from facialpalsy.models.vitau import PRESETS, RegionNetwork, read_public
from htnet import interleaved, peak_bytes

ROUNDS = 7
SMALL_ROUNDS = 50


def photo(name: str) -> torch.Tensor:
    """One photo of the size that the preset takes."""
    size = PRESETS[name].image_size
    return torch.rand(1, 3, size, size)


def asked(name: str, network: RegionNetwork) -> Callable[[], torch.Tensor]:
    """One run of `network`."""
    image = photo(name)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        return network(image)

    return run


def times() -> None:
    """Presets in torch."""
    networks = {name: PRESETS[name].trunk().eval() for name in ("paper", "256", "small")}
    took = interleaved({name: asked(name, network) for name, network in networks.items()}, ROUNDS)
    print("| preset | parameters | ms per photo | times as fast as paper |\n|---|---|---|---|")
    for name, seconds in took.items():
        count = sum(one.numel() for one in networks[name].parameters())
        print(f"| {name} | {count:,} | {1000 * seconds:.0f} | {took['paper'] / seconds:.2f} |")


def small(folder: Path) -> None:
    """The shipped size through ONNX, on one core and on two."""
    path, image = folder / "small.onnx", photo("small")
    network = PRESETS["small"].trunk().eval()
    options = {"dynamo": True, "input_names": ["images"], "output_names": ["maps"], "verbose": False}
    torch.onnx.export(network, (image,), path, opset_version=OPSET, external_data=False, **options)
    runs = {}
    for cores in (1, 2):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = cores
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        given = {"images": image.numpy()}
        runs[f"{cores} core{'s' * (cores > 1)}"] = lambda session=session, given=given: session.run(None, given)
    with torch.no_grad():
        apart = np.abs(runs["1 core"]()[0] - network(image).numpy()).max()
    print(f"\n`small` as ONNX: {path.stat().st_size / 1e6:.1f} MB, apart from torch by {apart:.1e}")
    for name, seconds in interleaved(runs, SMALL_ROUNDS).items():
        print(f"- {name}: {1000 * seconds:.1f} ms per photo")


def memory(folder: Path) -> None:
    """Fresh processes: one writes random weights in the public layout, one loads them and asks one photo."""
    path = folder / "psp_ffhq_encode.pt"
    for part in ("--write", "--peak"):
        done = subprocess.run([sys.executable, __file__, part, path], check=True, capture_output=True, text=True)
    peak, seconds = (float(one) for one in done.stdout.split())
    size = path.stat().st_size / 1e9
    print(f"\n`paper` from a file of {size:.2f} GB, one photo: peak {peak / 1e9:.2f} GB, {seconds:.1f} s with loading")


def write(path: Path) -> None:
    """Random weights in the layout of psp_ffhq_encode.pt."""
    network = PRESETS["paper"].trunk()
    state = {f"encoder.{name}": one for name, one in network.encoder.state_dict().items()}
    state |= {f"decoder.{name}": one for name, one in network.generator.state_dict().items()}
    latent_avg = state.pop("encoder.latent_avg")
    torch.save({"state_dict": state, "latent_avg": latent_avg, "opts": {"output_size": 1024}}, path)


def peak(path: Path) -> None:
    """Print the peak memory in bytes of this process and the seconds that it took."""
    start = time.perf_counter()
    asked("paper", PRESETS["paper"].trunk_from(read_public(path)).eval())()
    print(peak_bytes(), time.perf_counter() - start)


def main() -> None:
    """Print all tables."""
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--peak"]:
        peak(Path(sys.argv[2]))
    else:
        times()
        with tempfile.TemporaryDirectory() as folder:
            small(Path(folder))
            memory(Path(folder))


if __name__ == "__main__":
    main()
