"""Tendency: points found by local evidence show more of a difference between the sides; two minutes on a processor.

python benchmarks/tendency.py [--work FOLDER]
Two networks of one kind learn the eye patches of the same rendered people under the same warps: one finds a point as
the mean place of its heat map, as the shipped ones do, the other by one linear layer from all that it sees. Both are
asked of people whom they have not seen: how far points lie from the truth, and what share of the difference between
the sides, which warps make wide, is found. The people are kept in FOLDER.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import train_patch_landmarkers as training
from facialpalsy.face.patches import EYE, PIXELS_PER_IOD
from facialpalsy.models.landmarker import PointMaps, pixels

PEOPLE, OTHERS, BATCH, STEPS, RATE = 80, 20, 6, 300, 2e-3
POOLED = (6, 7)


class Regression(PointMaps):
    """Points by a linear layer from the features of all places."""

    def __init__(self, points: int) -> None:
        super().__init__(points)
        self.pool = nn.AdaptiveAvgPool2d(POOLED)
        self.linear = nn.LazyLinear(2 * points)

    def forward(self, images: Tensor) -> Tensor:
        """(n, points, 2) pixels of (n, 3, rows, columns) patches."""
        seen = self.pool(self.features(images)).flatten(1)
        middle = torch.tensor([EYE.columns / 2, EYE.rows / 2])
        return self.linear(seen).view(len(images), -1, 2) * PIXELS_PER_IOD / 4 + middle


class HeatMaps(PointMaps):
    """Points as the mean places of their heat maps."""

    def forward(self, images: Tensor) -> Tensor:
        """(n, points, 2) pixels of (n, 3, rows, columns) patches."""
        return pixels(self.maps_of(self.features(images)))


def learnt(make: Callable[[int], nn.Module], people: list[training.Person]) -> nn.Module:
    """A network trained on the warped patches of people."""
    torch.manual_seed(0)
    network = make(len(EYE.pairs)).train()
    network(torch.rand(2, 3, EYE.rows, EYE.columns))
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        seen = training.patches_of(EYE, training.drawn(people, []), hidden=0)
        images = seen.images.flatten(0, 1)
        apart = network(images) - seen.points.flatten(0, 1)
        optimizer.zero_grad()
        apart.square().sum(2).clamp(min=1e-12).sqrt().mean().backward()
        optimizer.step()
    return network.eval()


@torch.inference_mode()
def asked(network: nn.Module, people: list[training.Person]) -> tuple[float, float]:
    """Mean distance from the truth in iod, and share of the vertical difference between the sides that is found."""
    torch.manual_seed(1)
    errors, found, true = [], [], []
    for person in people:
        seen = training.cut(EYE, person, torch.zeros(len(person.photos), dtype=torch.long), warped=True)
        points = torch.stack([network(side) for side in seen.images])
        errors.append((points - seen.points).norm(dim=-1).mean() / PIXELS_PER_IOD)
        found.append((points[0] - points[1])[..., 1])
        true.append((seen.points[0] - seen.points[1])[..., 1])
    x, y = (torch.cat(one) - torch.cat(one).mean(0) for one in (true, found))
    return float(torch.stack(errors).mean()), float((x * y).sum() / (x * x).sum())


def main() -> None:
    """Train both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/tendency"))
    given = parser.parse_args()
    training.PEOPLE, training.BATCH, training.REAL_SHARE = PEOPLE + OTHERS, BATCH, 0.0
    people = training.synthetic(training.SETTING, given.work)
    kinds = {"heat maps": HeatMaps, "regression": Regression}
    print("| points by | parameters | mean distance from the truth, iod | share of the difference found | seconds |")
    print("|---|---|---|---|---|")
    for name, make in kinds.items():
        start = time.perf_counter()
        network = learnt(make, people[:PEOPLE])
        error, share = asked(network, people[PEOPLE:])
        weights = sum(one.numel() for one in network.parameters()) / 1e6
        print(
            f"| {name} | {weights:.2f} M | {error:.3f} | {share:.2f} | {time.perf_counter() - start:.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
