"""Train the shipped landmarker further, so that it reports what differs between the sides of real faces too.

FACIALPALSY_ASSETS=... python benchmarks/train_landmarker.py --grader GRADER --work FOLDER    # an hour on one core
GRADER is the grader that train_grader.py made, whose landmarker is begun with. Trained on the rendered people of
settings a and c (made in FOLDER if they are not there), and on photos of half of the London people, whose points are
those that the first landmarker finds, the mean over several crops. Every photo is warped by smooth random fields of
several widths, its sides independently; what is moved is known exactly then, whoever placed the points. They are
bicubic between knots, other warps than those of `facialpalsy.synth.displace`, by which recovery.py measures.
FOLDER/landmarker_192.safetensors once began the patch landmarkers, which go on from what is shipped now. With
`--size 96`, in a quarter of the time, FOLDER/landmarker_96.safetensors is made, for ship_landmarker.py: it finds where
the patches are.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.detect import MediaPipeDetector
from facialpalsy.face import DENSE, align
from facialpalsy.media import read_photo
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec, OrderedLandmarker
from facialpalsy.models.registry import GraderSpec
from facialpalsy.training.augment import field_between, mirrored, moved, other_shapes, plain, relit, resampled
from facialpalsy.training.exams import (
    REGION_SIZE,
    UNKNOWN_REGION,
    Batch,
    ExamLabel,
    ExamPhotos,
    join,
)
from facialpalsy.training.landmarks import ORDER, landmark_losses
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS
from london import photos, placed
from train_grader import OTHERS, SEED, SETTING, VALIDATION

PHOTO_SIZE = 240
PHOTOS = 9
"""Of one exam; of London people the two that there are, drawn anew and warped each by itself."""

REAL_SHARE, BATCH, RATE, AVERAGE, WARM_UP = 0.3, 4, 6e-4, 0.998, 100
# Knots a side and the standard deviation of their shifts in half sides of the photo, and how often each field is there.
FIELDS, THERE = ((7, 0.022), (12, 0.012), (20, 0.008), (32, 0.004)), 0.6
# The same for fields of few moving knots, the most that one moves (more would fold the
# face), and its share of the knots.
BUMPS, BUMPY = ((14, 0.065, 0.1), (20, 0.045, 0.1), (32, 0.028, 0.1)), 0.5
# Standard deviations, as in facialpalsy.training.augment; wider, since another finds the face first.
ANGLE, ZOOM, SHIFT = 0.045, 0.05, 0.035
COARSE_SHARE, COARSE = 0.3, (0.3, 0.8)


class LondonExams:
    """Photos of London people with the points that a landmarker finds."""

    def __init__(self, landmarker: Landmarker, size: int) -> None:
        self.people: dict[str, list[tuple[Tensor, Tensor]]] = {}
        detector, random = MediaPipeDetector(), np.random.default_rng(0)
        for person, _, path in photos(held_out=False):
            picture = read_photo(path).pixels
            crop, found = align(picture, placed(landmarker, detector, picture, size, random), PHOTO_SIZE)
            shares = torch.from_numpy((found.points / PHOTO_SIZE).astype(np.float32))
            self.people.setdefault(person, []).append((torch.from_numpy(crop.copy()).permute(2, 0, 1), shares))

    def drawn(self) -> ExamPhotos:
        """An exam of one of them."""
        shown = list(self.people.values())[int(torch.randint(len(self.people), ()))]
        chosen = torch.randint(len(shown), (PHOTOS,)).tolist()

        def unknown(*shape: int) -> Tensor:
            return torch.full(shape, float("nan"))

        return ExamPhotos(
            images=torch.stack([shown[one][0] for one in chosen]),
            expressions=torch.zeros(PHOTOS, dtype=torch.long),
            regions=torch.full((PHOTOS, REGION_SIZE, REGION_SIZE), UNKNOWN_REGION, dtype=torch.uint8),
            photo_truth=unknown(PHOTOS, len(PHOTO_TARGETS), 2),
            exam_truth=unknown(len(EXAM_TARGETS), 2),
            side=None,
            units=unknown(len(PALSY_UNITS), 2),
            centres=unknown(PHOTOS, len(PALSY_UNITS), 2, 2),
            points=torch.stack([shown[one][1] for one in chosen]),
        )


class Drawn(Dataset[tuple[int, ExamLabel, ExamPhotos]]):
    """So many exams drawn from synthetic people of several settings and from London people."""

    def __init__(self, count: int, synthetic: Sequence[SyntheticExams], london: LondonExams) -> None:
        self.count, self.synthetic, self.london = count, synthetic, london

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[int, ExamLabel, ExamPhotos]:
        torch.manual_seed(number)
        if torch.rand(()) < REAL_SHARE:
            return number, ExamLabel("london", "london", 0, None), self.london.drawn()
        exams = self.synthetic[int(torch.randint(len(self.synthetic), ()))]
        chosen = int(torch.randint(len(exams), ()))
        return number, exams.labels[chosen], exams[chosen]


def fields(count: int, size: int) -> Tensor:
    """(count, size, size, 2) smooth random shifts in half sides."""
    total = torch.zeros(count, 2, size, size)
    for knots, far in FIELDS:
        total += field_between(torch.randn(count, 2, knots, knots) * far * chosen(THERE, count, 1), size)
    return total.permute(0, 2, 3, 1)


def bumps(count: int, size: int, kinds: Sequence[tuple[int, float, float]] = BUMPS, bumpy: float = BUMPY) -> Tensor:
    """(count, size, size, 2) smooth shifts in half sides, each of one place alone."""
    total = torch.zeros(count, 2, size, size)
    for knots, most, moving in kinds:
        shifts = (2 * torch.rand(count, 2, knots, knots) - 1) * most * chosen(moving, count, knots)
        total += field_between(shifts * chosen(bumpy, count, 1), size)
    return total.permute(0, 2, 3, 1)


def chosen(share: float, count: int, knots: int) -> Tensor:
    """(count, 1, knots, knots) 1 at about this share of the knots, 0 elsewhere."""
    return (torch.rand(count, 1, knots, knots) < share).float()


def warped(batch: Batch, size: int) -> Batch:
    """The exams as the landmarker is trained on them."""
    batch = mirrored(batch, torch.rand(len(batch.number)) < 0.5)
    count = len(batch.images)
    turn, zoom, shift = torch.randn(count) * ANGLE, 1 + torch.randn(count) * ZOOM, torch.randn(count, 2) * SHIFT
    warp = (
        other_shapes(len(batch.number), size, torch.device("cpu"))[batch.exam]
        + fields(count, size)
        + bumps(count, size)
    )
    images = relit(resampled(batch.images, size, turn, zoom, shift, warp), batch.exam)
    if torch.rand(()) < COARSE_SHARE:
        side = int(size * torch.empty(()).uniform_(*COARSE))
        coarse = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
        images = F.interpolate(coarse, (size, size), mode="bilinear")
    return batch._replace(images=images, points=moved(batch.points, turn, zoom, shift, warp))


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Move the running mean of the weights on after a step, the first being 1."""
    for mean, now in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(now, 1 - min(AVERAGE, (1 + step) / (10 + step)))
    for kept, now in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(now)


@torch.inference_mode()
def factors(landmarker: Landmarker, batches: Sequence[Batch]) -> Tensor:
    """(DENSE,) of `OrderedLandmarker`: root mean squared error over that of the spread, alike on both sides."""
    ordered = OrderedLandmarker(landmarker, ORDER, torch.ones(DENSE.size))
    errors, widths = [], []
    for batch in batches:
        seen = ordered(batch.images)
        errors.append((seen.points - batch.points).square().mean(2))
        widths.append(seen.sigma.square())
    ratio = torch.cat(errors).mean(0) / torch.cat(widths).mean(0)
    return ((ratio + ratio[list(DENSE.mirror)]) / 2).sqrt()


def main() -> None:
    """Train, and write the running mean of the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grader", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--people", type=int, default=2400, help="of each setting")
    parser.add_argument("--steps", type=int, default=2289)
    parser.add_argument("--size", type=int, default=LandmarkerSpec().image_size, help="side of the photos in pixels")
    given = parser.parse_args()
    torch.manual_seed(0)
    begun = load_checkpoint(given.grader, GraderSpec).network
    assert begun.points is not None  # noqa: S101  train_grader.py made it
    network, size = begun.points.landmarker, given.size

    def people(setting: str, numbers: range) -> SyntheticExams:
        return SyntheticExams(SEED, setting, numbers, PHOTO_SIZE, given.work / f"{setting}{SEED}")

    london = LondonExams(network.eval(), LandmarkerSpec().image_size)
    drawn = Drawn(given.steps * BATCH, [people(one, range(given.people)) for one in (SETTING, OTHERS)], london)
    average = copy.deepcopy(network)
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    for step, batch in enumerate(DataLoader(drawn, BATCH, collate_fn=join, num_workers=1)):
        for group in optimizer.param_groups:
            cosine = 0.5 + 0.5 * math.cos(math.pi * step / given.steps)
            group["lr"] = RATE * min(1.0, step / WARM_UP) * max(0.02, cosine)
        batch = warped(batch, size)
        with torch.autocast("cpu", torch.bfloat16):
            losses = landmark_losses(network.heat_maps(batch.images), batch)
        loss = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        follow(average, network, step + 1)
        if step % 100 == 0:
            shown = {name: round(float(one.detach()), 4) for name, one in losses.items()}
            print(f"step {step}: {shown}", flush=True)
    average.eval()
    others = [people(one, VALIDATION) for one in (SETTING, OTHERS)]
    shown = [plain(join([(n, few.labels[n], few[n])]), size) for few in others for n in range(0, len(few), 4)]
    about = {"factors": factors(average, shown).tolist(), "london": sorted(london.people)}
    save_checkpoint(given.work / f"landmarker_{size}.safetensors", average, LandmarkerSpec(image_size=size), about)


if __name__ == "__main__":
    main()
