"""Train the shipped face finder: where in a picture faces are, from a twentieth of its width to all of it.

FACIALPALSY_ASSETS=... python benchmarks/train_face_finder.py --work FOLDER    # half an hour on one core
Trained on rendered people of settings a and c, turned further than others are (kept in FOLDER), and on photos of half
of the London people, whose points our own engine finds (the first time, on faces that MediaPipe had found). Each is
shown at a size, a turn and a place of chance on what has no face: drawn backgrounds, textures and a rocket of
scikit-image, pieces of photos beside the face.
FOLDER/face_finder.safetensors is for ship_landmarker.py.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from PIL import Image
from skimage import data
from torch import Tensor

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import OWN, open_detector
from facialpalsy.face import FACE6, Landmarks, Side
from facialpalsy.media import read_photo
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.face_finder import FaceFinder, FaceFinderSpec, centre_of
from facialpalsy.models.landmarker import STRIDE
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.shot import draw_shot, photograph
from facialpalsy.training.augment import field_between
from london import photos
from train_grader import OTHERS, SEED, SETTING
from train_landmarker import follow

PHOTO_SIZE, FIRST, PEOPLE, SHOWN, BLOCK = 224, 6000, 320, 4, 120
"""Pixels of a photo, number of the first rendered person of each setting, how many there are, photos of each."""

VALIDATION = range(300, 320)
YAW, PITCH, FURTHEST = 13.0, 8.0, 38.0
"""Standard deviations of the pose and the furthest that a head is turned, degrees."""

BATCH, RATE, WARM_UP, LOOK = 24, 2e-3, 200, 500
REAL_SHARE, NO_FACE, TWO_FACES, FULL = 0.4, 0.12, 0.25, 0.5
"""Share of photos that are real, of pictures without a face and with two, and of photos that fill the picture."""

SMALLEST, LARGEST = 6.0, 64.0
"""Distance of the outer canthi in pixels of what the network sees."""

WIDE, NARROW = 0.3, 40.0
"""Share of photos turned by any angle up to the second, in degrees; of the others a sixth of it is the deviation."""

NEAR, LEAST = 0.14, 2.2
"""Standard deviation of where a centre is said to be, in iod and at least in pixels."""

PLACE = 2.0
"""Weight of the distance of points, in iod, over that of whether there is a face."""


class Shown(NamedTuple):
    """Photos with one face each.

    Attributes:
        photos: (n, 3, PHOTO_SIZE, PHOTO_SIZE) uint8.
        points: (n, 6, 2) pixels.
    """

    photos: Tensor
    points: Tensor


class Seen(NamedTuple):
    """Pictures as the network sees them, with up to two faces.

    Attributes:
        images: (n, 3, size, size).
        points: (n, 2, 6, 2) pixels; NaN where there is no face.
    """

    images: Tensor
    points: Tensor


def synthetic(setting: str, folder: Path) -> Shown:
    """Rendered people, four photos of each, one after the other."""
    path = folder / f"finder_{setting}.npz"
    if not path.exists():
        random, model, every = np.random.default_rng(FIRST), face_model(), list(Expression)
        shown, points = [], []
        for number in range(FIRST, FIRST + PEOPLE):
            patient = wanted_people(BLOCK, SEED, setting, block=number // BLOCK)[number % BLOCK].drawn(
                number, SEED, setting
            )
            for one in random.choice(len(every), SHOWN, replace=False):
                shot = draw_shot(patient, every[one], 0)
                yaw, pitch = np.clip(random.normal(size=2) * (YAW, PITCH), -FURTHEST, FURTHEST)
                share = float(random.uniform(0.45, 0.95))
                taken = photograph(
                    model,
                    replace(shot, scene=replace(shot.scene, yaw=float(yaw), pitch=float(pitch), face_share=share)),
                    PHOTO_SIZE,
                )
                shown.append(taken.frame.pixels.transpose(2, 0, 1))
                points.append(six(taken.landmarks))
        np.savez(path, photos=np.stack(shown), points=np.stack(points))
    kept = np.load(path)
    return Shown(torch.from_numpy(kept["photos"]), torch.from_numpy(kept["points"]).float())


def london() -> Shown:
    """Photos of London people."""
    detector, shown, points = open_detector(OWN), [], []
    for _, _, path in photos(held_out=False):
        picture = read_photo(path).pixels
        found = six(detector.detect(picture).landmarks)
        side = min(picture.shape[:2])
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        square = Image.fromarray(picture[top : top + side, left : left + side])
        small = square.resize((PHOTO_SIZE, PHOTO_SIZE), Image.Resampling.BOX, reducing_gap=3)
        shown.append(np.asarray(small).transpose(2, 0, 1))
        points.append((found - (left, top)) * PHOTO_SIZE / side)
    return Shown(torch.from_numpy(np.stack(shown)), torch.from_numpy(np.stack(points)).float())


def six(landmarks: Landmarks) -> np.ndarray:
    """(6, 2) the points that are found."""
    names = ("outer_canthus", "inner_canthus", "commissure")
    return np.stack([landmarks.point(name, side) for name in names for side in (Side.RIGHT, Side.LEFT)])


def without_face() -> list[Tensor]:
    """(3, rows, columns) pictures of no face, 0..255."""
    kept = [getattr(data, name)() for name in ("brick", "grass", "gravel", "rocket", "hubble_deep_field", "page")]
    coloured = [one if one.ndim == 3 else np.repeat(one[..., None], 3, axis=2) for one in kept]
    return [torch.from_numpy(one.transpose(2, 0, 1).copy()).float() for one in coloured]


class Pictures:
    """Draws pictures for training, or to judge by.

    Args:
        synthetic: Rendered photos.
        real: Real ones.
        size: Side of the pictures.
    """

    def __init__(self, synthetic: Sequence[Shown], real: Sequence[Shown], size: int) -> None:
        self.kinds = ([_levels(one) for one in synthetic], [_levels(one) for one in real])
        self.empty, self.size = without_face(), size

    def drawn(self, count: int) -> Seen:
        """So many pictures."""
        shown = [self._one() for _ in range(count)]
        return Seen(relit(torch.stack([one for one, _ in shown])), torch.stack([two for _, two in shown]))

    def _one(self) -> tuple[Tensor, Tensor]:
        picture, faces = self._ground(), torch.full((2, 6, 2), math.nan)
        if _chance(NO_FACE):
            return self._beside_face() if _chance(0.5) else picture, faces
        for place in range(1 + _chance(TWO_FACES)):
            photo, points = self._photo()
            pasted, there, inside = self._placed(photo, points, full=place == 0 and _chance(FULL))
            at = faces[0].nan_to_num(0).long().clamp(0, self.size - 1)
            if place and inside[at[:, 1], at[:, 0]].any():
                break
            picture = torch.where(inside, pasted, picture)
            faces[place] = there
        if _chance(0.2):
            picture = covered(picture, faces[0])
        return picture, faces

    def _photo(self) -> tuple[list[Tensor], Tensor]:
        kinds = self.kinds[_chance(REAL_SHARE)]
        photos, points = kinds[int(torch.randint(len(kinds), ()))]
        one = int(torch.randint(len(points), ()))
        images, there = [level[one].float() for level in photos], points[one]
        if _chance(0.5):
            images = [image.flip(-1) for image in images]
            there = (torch.tensor([PHOTO_SIZE, 0.0]) + there * torch.tensor([-1.0, 1.0]))[list(FACE6.mirror)]
        return images, there

    def _placed(self, photo: list[Tensor], points: Tensor, *, full: bool) -> tuple[Tensor, Tensor, Tensor]:
        """A photo at a size, a turn and a place, its points there, and (size, size) where it is."""
        iod = SMALLEST * (LARGEST / SMALLEST) ** float(torch.rand(()))
        zoom = iod / float(_iod(points))
        degrees = (2 * torch.rand(()) - 1) * NARROW if _chance(WIDE) else torch.randn(()) * NARROW / 6
        turn = torch.deg2rad(degrees)
        stretch = torch.exp(torch.randn(2) * 0.05)
        linear = zoom * torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
        linear = linear * stretch
        margin = min(0.7 * iod, 0.4 * self.size)
        to = margin + torch.rand(2) * (self.size - 2 * margin)
        middle = centre_of(points)
        there = (points - middle) @ linear.T + to
        level = max(0, min(len(photo) - 1, math.floor(-math.log2(zoom))))
        grid = torch.stack(torch.meshgrid(*(torch.arange(self.size) + 0.5,) * 2, indexing="xy"), 2)
        back = (grid - to) @ torch.linalg.inv(linear).T + middle
        places = 2 * back[None] / PHOTO_SIZE - 1
        border = "border" if full else "zeros"
        pasted = F.grid_sample(photo[level][None], places, padding_mode=border, align_corners=False)[0]
        inside = torch.ones(self.size, self.size, dtype=torch.bool) if full else (places[0].abs() < 1).all(2)
        return pasted, there, inside

    def _ground(self) -> Tensor:
        if _chance(0.4):
            colours = torch.rand(2, 3, 1, 1) * 255
            knots = int(torch.randint(2, 24, ()))
            return colours[0] + (colours[1] - colours[0]) * field_between(torch.rand(1, 1, knots, knots), self.size)[0]
        among = self.empty[int(torch.randint(len(self.empty), ()))]
        side = int(min(among.shape[1:]) * (0.2 + 0.8 * float(torch.rand(()))))
        top, left = (int(torch.randint(length - side + 1, ())) for length in among.shape[1:])
        piece = among[None, :, top : top + side, left : left + side]
        found = F.interpolate(piece, (self.size, self.size), mode="bilinear", antialias=True)[0]
        return found * (0.5 + torch.rand(3, 1, 1))

    def _beside_face(self) -> Tensor:
        """A piece of a photo that shows no whole face: hair, neck, clothes, one eye or a mouth at most."""
        photo, points = self._photo()
        iod, middle = _iod(points), centre_of(points)
        angle = torch.rand(()) * 2 * math.pi
        far = middle + torch.stack([angle.cos(), angle.sin()]) * iod * (1.0 + torch.rand(()))
        side = iod * (0.5 + torch.rand(())) * 0.7
        grid = torch.stack(torch.meshgrid(*(torch.linspace(-0.5, 0.5, self.size),) * 2, indexing="xy"), 2)
        places = 2 * (grid * side + far)[None] / PHOTO_SIZE - 1
        return F.grid_sample(photo[0][None], places, padding_mode="border", align_corners=False)[0]


def _levels(shown: Shown) -> tuple[list[Tensor], Tensor]:
    """Photos at their size, half and a quarter of it, so that small ones are not sampled at points."""
    levels = [shown.photos]
    for _ in range(2):
        levels.append(F.avg_pool2d(levels[-1].float(), 2).round().byte())
    return levels, shown.points


def covered(picture: Tensor, points: Tensor) -> Tensor:
    """Something in the way: an ellipse of one colour over a part of the face."""
    iod, size = _iod(points), picture.shape[-1]
    centre = centre_of(points) + torch.randn(2) * 0.6 * iod
    axes = iod * (0.12 + 0.3 * torch.rand(2))
    grid = torch.stack(torch.meshgrid(*(torch.arange(size) + 0.5,) * 2, indexing="xy"), 2)
    inside = (((grid - centre) / axes) ** 2).sum(2) < 1
    return torch.where(inside, torch.rand(3, 1, 1) * 255, picture)


def relit(images: Tensor) -> Tensor:
    """(n, 3, size, size) 0..255 as 0..1 with other colours, light, focus, resolution and noise."""
    count, size = len(images), images.shape[-1]

    def chance(share: float) -> Tensor:
        return torch.rand(count, 1, 1, 1) < share

    images = (images / 255).clamp(0, 1)
    images = images ** torch.exp(torch.randn(count, 1, 1, 1) * 0.45)
    light = field_between(torch.randn(count, 1, 4, 4) * 0.3, size).exp()
    images = images * light * (1 + torch.randn(count, 3, 1, 1) * 0.12)
    images = torch.where(chance(0.25), images.mean(1, keepdim=True), images)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * torch.exp(torch.randn(count, 1, 1, 1) * 0.3) + mean + torch.randn(count, 1, 1, 1) * 0.08
    soft = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    images = images.lerp(soft, torch.rand(count, 1, 1, 1) * chance(0.5))
    small = F.interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)
    images = torch.where(chance(0.1), F.interpolate(small, (size, size), mode="bilinear"), images)
    return (images + torch.randn_like(images) * torch.rand(count, 1, 1, 1) * 0.06).clamp(0, 1)


def losses(network: FaceFinder, seen: Seen) -> dict[str, Tensor]:
    """Whether faces are found, as a focal loss, and where their points are, in iod."""
    odds, points = network.odds(seen.images)
    rows, columns = odds.shape[-2:]
    down, across = ((torch.arange(count) + 0.5) * STRIDE for count in (rows, columns))
    places = torch.stack(torch.meshgrid(across, down, indexing="xy"), 2)
    centre, iod = centre_of(seen.points), _iod(seen.points)
    far = (places - centre[:, :, None, None]).square().sum(-1)
    width = (NEAR * iod).clamp(min=LEAST)[:, :, None, None]
    heat = torch.exp(-far / (2 * width.square())).nan_to_num(0)
    want, whose = heat.max(1)
    chance = odds.sigmoid()
    near = want > 0.5
    gain = torch.where(near, want * (1 - chance).square() * F.logsigmoid(odds), 0)
    gain = gain + (1 - want) ** 4 * chance.square() * F.logsigmoid(-odds)
    count = seen.points.isfinite().all(-1).all(-1).sum().clamp(min=1)
    one = torch.arange(len(odds))[:, None, None]
    truth, size = seen.points[one, whose], iod[one, whose]
    apart = (points.permute(0, 3, 4, 1, 2) - truth)[near] / size[near][:, None, None]
    return {
        "face": -gain.sum() / count,
        "place": apart.square().sum(-1).clamp(min=1e-9).sqrt().mean() if near.any() else odds.sum() * 0,
    }


@torch.inference_mode()
def judged(network: FaceFinder, pictures: Pictures) -> dict[str, float]:
    """Losses over pictures that are the same whenever this is asked."""
    state = torch.get_rng_state()
    torch.manual_seed(1)
    found = [losses(network, pictures.drawn(BATCH)) for _ in range(12)]
    torch.set_rng_state(state)
    return {name: round(float(torch.stack([one[name] for one in found]).mean()), 4) for name in found[0]}


def _iod(points: Tensor) -> Tensor:
    return (points[..., 1, :] - points[..., 0, :]).norm(dim=-1)


def _chance(share: float) -> bool:
    return bool(torch.rand(()) < share)


def main() -> None:
    """Train, and write the running mean of the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--steps", type=int, default=5000)
    given = parser.parse_args()
    torch.manual_seed(0)
    spec, path, real = FaceFinderSpec(), given.work / "face_finder.safetensors", london()
    rendered = [synthetic(setting, given.work) for setting in (SETTING, OTHERS)]
    first = VALIDATION.start * SHOWN
    pictures = Pictures([Shown(one.photos[:first], one.points[:first]) for one in rendered], [real], spec.image_size)
    others = [Shown(one.photos[first:], one.points[first:]) for one in rendered]
    judging = Pictures(others, others, spec.image_size)
    network = load_checkpoint(path, FaceFinderSpec).network if path.exists() else spec.network()
    network.train().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    for step in range(1, given.steps + 1):
        for group in optimizer.param_groups:
            cosine = 0.5 + 0.5 * math.cos(math.pi * step / given.steps)
            group["lr"] = RATE * min(1.0, step / WARM_UP) * max(0.02, cosine)
        seen = pictures.drawn(BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            found = losses(network, seen)
        loss = found["face"] + PLACE * found["place"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        follow(average, network, step)
        if step % LOOK == 0 or step == given.steps:
            print(f"step {step}: {judged(average, judging)}", flush=True)
            save_checkpoint(path, average, spec, {"photos": len(real.photos), "steps": step})


if __name__ == "__main__":
    main()
