"""HTNet: parameters, cost of both modules, and speed against the published arithmetic.

python benchmarks/htnet.py           # preset `paper`: sizes, inference, training, memory, decisions on 200 photos
Times are medians of interleaved runs on the threads that torch takes by default; memory is the peak of a fresh process.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from einops import rearrange
from torch import Tensor, nn

from facialpalsy.models.export import OPSET
from facialpalsy.models.htnet import HTNet

ROUNDS = 9
TRAINING_ROUNDS = 4
PHOTOS = 200
BOTH = {"use_micro_attention": True, "use_roi_module": True}


class Norm(nn.Module):
    """Layer norm over the channels of (batch, channels, height, width)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(1, dim, 1, 1)), nn.Parameter(torch.zeros(1, dim, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, unbiased=False, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt() * self.g + self.b


class Published(nn.Module):
    """The arithmetic of the published network, written plainly: 1x1 convolutions, softmax by hand, no fused kernels."""

    def __init__(self, size: int, patch: int, dim: int, heads: int, repeats: tuple[int, ...], classes: int = 6) -> None:
        super().__init__()
        self.patch, self.heads, self.blocks = patch, heads, 2 ** (len(repeats) - 1)
        places = (size // patch // self.blocks) ** 2
        self.embed = nn.Conv2d(patch * patch * 3, dim, 1)
        self.levels, self.joins = nn.ModuleList(), nn.ModuleList()
        for number, count in enumerate(repeats):
            width, head = dim * 2**number, heads * 2**number
            inner = width // head * head
            layers = [
                nn.ModuleDict(
                    {
                        "n1": Norm(width),
                        "qkv": nn.Conv2d(width, 3 * inner, 1, bias=False),
                        "out": nn.Conv2d(inner, width, 1),
                        "n2": Norm(width),
                        "up": nn.Conv2d(width, 4 * width, 1),
                        "down": nn.Conv2d(4 * width, width, 1),
                    }
                )
                for _ in range(count)
            ]
            self.levels.append(nn.ModuleList(layers))
            self.register_parameter(f"position{number}", nn.Parameter(torch.randn(places)))
            if number + 1 < len(repeats):
                self.joins.append(
                    nn.Sequential(
                        nn.Conv2d(width, 2 * width, 3, padding=1), Norm(2 * width), nn.MaxPool2d(3, 2, padding=1)
                    )
                )
        self.norm, self.head = Norm(width), nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Logits."""
        x = rearrange(image, "b c (h p) (w q) -> b (p q c) h w", p=self.patch, q=self.patch)
        x = self.embed(x)
        for number, layers in enumerate(self.levels):
            split = self.blocks // 2**number
            x = rearrange(x, "b c (r h) (s w) -> (b r s) c h w", r=split, s=split)
            x = x + getattr(self, f"position{number}").view(1, 1, *x.shape[-2:])
            for layer in layers:
                x = x + self._attend(layer, layer["n1"](x), self.heads * 2**number)
                x = x + layer["down"](nn.functional.gelu(layer["up"](layer["n2"](x))))
            x = rearrange(x, "(b r s) c h w -> b c (r h) (s w)", r=split, s=split)
            if number < len(self.joins):
                x = self.joins[number](x)
        return self.head(self.norm(x).mean(dim=(2, 3)))

    def _attend(self, layer: nn.ModuleDict, x: Tensor, heads: int) -> Tensor:
        height = x.shape[-2]
        q, k, v = (rearrange(one, "b (n d) h w -> b n (h w) d", n=heads) for one in layer["qkv"](x).chunk(3, dim=1))
        weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1)
        return layer["out"](rearrange(weights @ v, "b n (h w) d -> b (n d) h w", h=height))


def published_state(network: Published) -> dict[str, Tensor]:
    """Its weights under the names that `HTNet.from_reference` reads."""
    names = {"qkv": "0.fn.to_qkv", "out": "0.fn.to_out.0", "n1": "0.norm", "n2": "1.norm", "up": "1.fn.net.0"}
    names["down"] = "1.fn.net.3"
    state = {}
    for name, tensor in network.state_dict().items():
        first, *rest = name.split(".")
        if first == "levels":
            level, layer, part, last = rest
            state[f"layers.{level}.0.layers.{layer}.{names[part]}.{last}"] = tensor
        elif first == "joins":
            state[f"layers.{rest[0]}.1.{rest[1]}.{rest[2]}"] = tensor
        elif first.startswith("position"):
            state[f"layers.{first.removeprefix('position')}.0.pos_emb"] = tensor
        else:
            state[
                {"embed": "to_patch_embedding.1", "norm": "mlp_head.0", "head": "mlp_head.2"}[first] + f".{rest[-1]}"
            ] = tensor
    return state


def interleaved(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


NETWORKS: dict[str, Callable[[], HTNet]] = {"base": lambda: HTNet(dropout=0), "both": lambda: HTNet(dropout=0, **BOTH)}
"""Base and both modules at the published size."""


def forward(network: nn.Module, image: Tensor) -> Callable[[], Tensor]:
    """One inference."""

    @torch.inference_mode()
    def run() -> Tensor:
        return network(image)

    return run


def step(network: HTNet, image: Tensor) -> Callable[[], None]:
    """One training step without the optimiser: its share does not depend on the modules."""

    def run() -> None:
        network.zero_grad(set_to_none=True)
        network(image).square().mean().backward()

    return run


def cost() -> None:
    """Both modules over base."""
    nets = {name: make().eval() for name, make in NETWORKS.items()}
    count = {name: sum(one.numel() for one in network.parameters()) for name, network in nets.items()}
    print(f"Parameters: base {count['base']:,}, both {count['both']:,} (published 139,586,246 and 151,934,931)\n")
    print("| mode | base | both | over base |\n|---|---|---|---|")
    for batch in (1, 8):
        image = torch.randn(batch, 3, 224, 224)
        took = interleaved({name: forward(network, image) for name, network in nets.items()}, ROUNDS)
        _row(f"inference, batch {batch}", took, "ms", 1000)
    for network in nets.values():
        network.train()
    image = torch.randn(8, 3, 224, 224)
    took = interleaved({name: step(network, image) for name, network in nets.items()}, TRAINING_ROUNDS)
    _row("forward and backward, batch 8", took, "ms", 1000)
    for mode in ("inference-1", "training-8"):
        took = {}
        for name in nets:
            runs = [_peak(name, mode) for _ in range(3)]
            took[name] = statistics.median(runs)
        _row(f"peak memory, {mode.replace('-', ', batch ')}", took, "MB", 1e-6)


def _row(title: str, took: dict[str, float], unit: str, factor: float) -> None:
    base, both = took["base"] * factor, took["both"] * factor
    print(f"| {title} | {base:.0f} {unit} | {both:.0f} {unit} | {both / base - 1:+.1%} |", flush=True)


def _peak(name: str, mode: str) -> float:
    command = [sys.executable, "-W", "ignore", __file__, "--peak", name, mode]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak(name: str, mode: str) -> None:
    """Print the peak memory in bytes of this process after one run."""
    network = NETWORKS[name]()
    batch = int(mode.rpartition("-")[2])
    image = torch.randn(batch, 3, 224, 224)
    if mode.startswith("inference"):
        forward(network.eval(), image)()
    else:
        step(network, image)()
    print(peak_bytes())


def peak_bytes() -> float:
    """Most memory that this process had in use."""
    # Not ru_maxrss, which begins with the peak of the process that started this one.
    kilobytes = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))
    return 1024 * int(kilobytes[1]) if kilobytes else float("nan")


def speed() -> None:
    """One forward of the published size against the published arithmetic in fp32, and whether decisions stay."""
    torch.manual_seed(0)
    published = Published(224, 7, 256, 3, (2, 2, 10)).eval()
    ours = HTNet.from_reference(published_state(published), dropout=0).eval()
    half = HTNet.from_reference(published_state(published), dropout=0).eval().bfloat16()
    compiled = torch.compile(ours)
    runs: dict[str, Callable[[Tensor], Tensor]] = {
        "published arithmetic, fp32": published,
        "HTNet, fp32": ours,
        "HTNet, fp32, compiled": compiled,
        "HTNet, fp32, ONNX Runtime": exported(ours),
        "HTNet, bf16": lambda image: half(image.bfloat16()).float(),
    }
    image = torch.randn(1, 3, 224, 224)
    took = interleaved({name: forward(run, image) for name, run in runs.items()}, ROUNDS)
    photos = _photos()
    print("\n| forward, batch 1 | ms | times as fast | same decision |\n|---|---|---|---|")
    with torch.inference_mode():
        logits = {name: torch.cat([run(one[None]) for one in photos]) for name, run in runs.items()}
    first = logits["published arithmetic, fp32"]
    # Untrained logits hardly depend on the photo: what the mean photo gets is taken out, so that decisions differ.
    expected = (first - first.mean(dim=0)).argmax(dim=1)
    for name, seconds in took.items():
        same = ((logits[name] - first.mean(dim=0)).argmax(dim=1) == expected).sum()
        ratio = took["published arithmetic, fp32"] / seconds
        print(f"| {name} | {1000 * seconds:.0f} | {ratio:.2f} | {same} of {len(photos)} |")


def exported(network: HTNet) -> Callable[[Tensor], Tensor]:
    """The network as an ONNX file, run as `analyze` runs the shipped one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "htnet.onnx")
        image = torch.randn(1, 3, 224, 224)
        torch.onnx.export(
            network, (image,), path, input_names=["image"], opset_version=OPSET, dynamo=True, verbose=False
        )
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


def _photos() -> Tensor:
    """(PHOTOS, 3, 224, 224) synthetic photos, aligned."""
    from facialpalsy.face import align
    from facialpalsy.synth.stream import PatientStream

    stream = iter(PatientStream(seed=5))
    crops = [align(one.frame.pixels, one.landmarks, 224)[0] for one, _ in zip(stream, range(PHOTOS), strict=False)]
    pictures = torch.stack([torch.from_numpy(crop.copy()) for crop in crops])
    return (pictures.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25


def main() -> None:
    """Print all tables."""
    warnings.filterwarnings("ignore", message=".*heads do not divide.*")
    if "--peak" in sys.argv:
        peak(*sys.argv[-2:])
        return
    cost()
    speed()


if __name__ == "__main__":
    main()
