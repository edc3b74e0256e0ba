"""Train the shipped landmarkers of eye and mouth, which see more of a photo's pixels than the one of whole faces.

FACIALPALSY_ASSETS=... python benchmarks/train_patch_landmarkers.py eye --work FOLDER    # 25 minutes on one core
FACIALPALSY_ASSETS=... python benchmarks/train_patch_landmarkers.py mouth --work FOLDER
They go on from FOLDER/eye_landmarker.safetensors and FOLDER/mouth_landmarker.safetensors, or from what is shipped,
and write the same files, for ship_landmarker.py. Trained on rendered people of settings a and c, large enough for the
scale of the patches (kept in FOLDER) and most of them with lashes, and on photos of half of the London people. These
have the points that people placed at rest; those of smiling photos, which have none, are found, and moved as the found
ones at rest lie beside the placed ones. Photos are warped as by train_landmarker.py. In some poor photos things are in
the way; there the maps are to be wide, which a likelihood sees to, and the network is to say so.

Every second rendered person wears the skin of one of the photos at rest (photo_skins.py), and some look aside.

Whoever is unsure where a point is answers nearer to where such points usually are, and so reports less of what a warp
moved. So beside the errors counts what share is found, of each point, over many steps: of each kind of warp, most of
them weak and alone in their photo, and of what the sides of rendered people differ by. It counts in photos as they are
and in such that were made poor, each by itself: among poor ones others are found too small and these, as they are used,
too large. That makes the points less steady, so the weights may go a part of the way only from where they began to
where training led, along which shares and errors change evenly (Wortsman et al. 2022, arXiv:2109.01903).
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
from torch import Tensor, nn
from torchvision.transforms.v2.functional import jpeg

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import OWN, open_detector
from facialpalsy.face import DENSE, Landmarks, Side, align, face_frame
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE, CROP_ORIGIN
from facialpalsy.face.patches import EYE, MOUTH, PIXELS_PER_IOD, Patch
from facialpalsy.media import read_photo
from facialpalsy.models.checkpoint import load_checkpoint, save_checkpoint
from facialpalsy.models.landmarker import STRIDE, pixels
from facialpalsy.models.patch_landmarker import PatchLandmarker, PatchLandmarkerSpec
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.shot import Shot, draw_shot, photograph
from facialpalsy.training.augment import field_between, moved, other_shapes
from facialpalsy.training.landmarks import WEIGHTS as OF_PLACES
from facialpalsy.weights import EYE_LANDMARKER, MOUTH_LANDMARKER
from lashes import with_lashes
from london import photos
from london_templates import placed_by_hand, template_of
from photo_skins import PhotoSkin, photographed, skin_of, wearing
from shipped_weights import shipped
from train_grader import OTHERS, SEED, SETTING
from train_landmarker import bumps, chosen, fields, follow

PATCHES = {"eye": (EYE_LANDMARKER, EYE), "mouth": (MOUTH_LANDMARKER, MOUTH)}
RENDERED, PHOTO_SIZE, SHOWN, BLOCK = 448, 352, 3, 120
"""Pixels of a rendered photo and of the face cut out of it, photos of a person, people among whom grades are even."""

PEOPLE, VALIDATION, LASHES = 1100, range(490, 520), 0.8
"""People of each setting, those of them that are not trained on, and the share that has lashes."""

OTHER_PEOPLE, FIRST = 13, 5
"""London people whose number leaves this rest are not trained on either."""

STRAYS, STRAYS_MOST = 3.5, 22.0
"""How much further a gaze strays in some photos, and degrees that it never exceeds."""

REAL_SHARE, BATCH, RATE, WARM_UP, LOOK = 0.4, 12, 5e-4, 100, 500
LIKELIHOOD, SURE = 0.005, 3.0
"""Weight of the negative log likelihood, and the standard deviation in pixels of a place that is sure."""
# As in train_landmarker.py: fields of few moving knots, the most that one moves, and the share of the knots.
BUMPS = ((14, 0.065, 0.15), (20, 0.045, 0.18), (32, 0.03, 0.22))
THERE, WEAKEST = 0.25, 0.25
"""Share of the photos that each kind of warp is in, so that many see one alone, and the least part of its size that a
photo's warps have. Of strong warps among others less is found than of a weak one alone, and a palsy is such a one."""
WARPED = 96
"""Side of the fields."""

SHARE, REMEMBERED, LEAST_MOVED = 0.8, 0.98, 1e-5
"""Weight of the share of the warps that is found, how much of it is kept from step to step, and a sum of squares."""
SEEN_ACROSS = frozenset({30, 31, 32, 33, 36, 39, 48, 51, 57, 60, 62, 66, *range(115, 130)})
"""Points that can be seen to move sideways; the others lie on lines."""

WAY = {"eye": 0.5, "mouth": 1.0}
"""Part of the way that the weights go: half of it or the whole, so that on the people that are trained on the slope of
recovery.py, over both families of warps, is nowhere as far from 1 as with the other."""

MEASURED = 10
"""Batches by which the normalisations are measured anew then."""

WEIGHTS = {
    **{name: OF_PLACES[name] for name in ("place", "sides", "movement")},
    "likelihood": LIKELIHOOD,
    "covered": 0.03,
}

# Standard deviations, as in facialpalsy.training.augment.
ANGLE, ZOOM, SHIFT = 0.035, 0.04, 0.025
TINT, BEND, LIGHT, CONTRAST, BRIGHTNESS, NOISE, GREY = 0.1, 0.2, 0.15, 0.22, 0.05, 0.03, 0.15
COARSE, COARSEST = 0.6, 3.2
POOR, PACKED, SMALLEST, LARGEST, WORST, BEST = 0.5, 0.7, 0.5, 1.4, 30, 90
"""Share of the photos that are poor; of those the share that were JPEG files, the sizes of these against PHOTO_SIZE,
and their qualities."""
COVERED, NARROWEST, WIDEST, DARKEST, LIGHTEST = 0.3, 0.08, 0.6, 0.5, 1.2
"""Share of the patches with something in the way, its half axes as shares of the patch's width, and how bright it is
where it has the colour of the face itself, as a hand has."""
COVERED_COUNT, COVERED_JUDGED = 2.0, 0.5
"""How much more covered points count than clear ones, of which there are more; and the share above for the figures."""

_MIRROR = list(DENSE.mirror)


class Person(NamedTuple):
    """Photos of one person.

    Attributes:
        photos: (n, 3, PHOTO_SIZE, PHOTO_SIZE) uint8.
        points: (n, DENSE, 2) as shares of the photo.
    """

    photos: Tensor
    points: Tensor


class Patches(NamedTuple):
    """One patch of either side of n photos, the left one flipped, with its k points.

    Attributes:
        images: (2, n, 3, rows, columns).
        points: (2, n, k, 2) pixels of the patch.
        strength: (n,) of the warps, WEAKEST to 1.
        moved: (2, warps, n, k, 2) by how much each kind of warp moved them: wide, three narrower ones, and creases.
        unwarped: (2, n, k, 2) where they are without any warp.
        hidden: (2, n, k) which of them something covers.
    """

    images: Tensor
    points: Tensor
    strength: Tensor
    moved: Tensor
    unwarped: Tensor
    hidden: Tensor


def synthetic(setting: str, folder: Path, worn: Sequence[PhotoSkin] = ()) -> list[Person]:
    """Rendered people; a face at rest and two others of each, some with the skin of a photo where there are any."""
    folder.mkdir(parents=True, exist_ok=True)
    place = (SETTING, OTHERS).index(setting)
    expressions, random, people = np.random.default_rng(place), np.random.default_rng([SEED, place]), []
    for number in range(PEOPLE):
        mine = worn if has_skin(number) else ()
        path = kept_in(folder, setting, number, skin=bool(mine))
        others = expressions.choice(np.arange(1, len(Expression)), SHOWN - 1, replace=False)
        if not path.exists():
            shown, points = _rendered(setting, number, [0, *others], mine)
            np.savez(path, photos=shown, points=points)
        kept = np.load(path)
        shown, points, seed = kept["photos"], kept["points"], random.integers(1 << 30)
        if random.random() < LASHES:
            shown = [
                with_lashes(
                    one, Landmarks(DENSE, at * PHOTO_SIZE, (PHOTO_SIZE, PHOTO_SIZE)), np.random.default_rng(seed)
                )
                for one, at in zip(shown, points.astype(float), strict=True)
            ]
        people.append(as_person(shown, points))
    return people


def kept_in(folder: Path, setting: str, number: int, *, skin: bool) -> Path:
    """File of a rendered person, with the skin of a photo or not."""
    return folder / f"{setting}{number:05d}{'_skin' if skin else ''}.npz"


def has_skin(number: int) -> bool:
    """Whether a person wears the skin of a photo; those that the networks are judged by do not."""
    return number % 2 == 1 and number not in VALIDATION


def _rendered(
    setting: str, number: int, expressions: Sequence[int], worn: Sequence[PhotoSkin]
) -> tuple[np.ndarray, np.ndarray]:
    model, every = face_model(), list(Expression)
    wanted = wanted_people(BLOCK, SEED, setting, block=number // BLOCK)[number % BLOCK]
    patient = wanted.drawn(number, SEED, setting)
    shots = [draw_shot(patient, every[one], 0) for one in expressions]
    if worn:
        random = np.random.default_rng([number, (SETTING, OTHERS).index(setting)])
        shots = [looking_around(shot, random) for shot in shots]
        sitter = wearing(model, shots[0], worn[random.integers(len(worn))], random)
        taken = [photographed(model, shot, sitter, RENDERED) for shot in shots]
    else:
        taken = [(one.frame.pixels, one.landmarks) for one in (photograph(model, shot, RENDERED) for shot in shots)]
    cut = [align(picture, landmarks, PHOTO_SIZE) for picture, landmarks in taken]
    return np.stack([one for one, _ in cut]), np.stack([one.points / PHOTO_SIZE for _, one in cut]).astype(np.float32)


def looking_around(shot: Shot, random: np.random.Generator) -> Shot:
    """The shot, in every second case with a gaze that strays much further."""
    left, up = np.clip(np.array(shot.take.gaze) * random.choice([1, STRAYS]), -STRAYS_MOST, STRAYS_MOST).tolist()
    return replace(shot, take=replace(shot.take, gaze=(left, up)))


def skins() -> list[PhotoSkin]:
    """Those of the photos at rest of the London people that are trained on."""
    detector, found = open_detector(OWN), []
    for person, _, path in photos(held_out=False):
        template = template_of(path)
        if template is not None and not is_judged(person):
            picture = read_photo(path).pixels
            points = placed_by_hand(detector.detect(picture).landmarks.points, template)
            found.append(skin_of(face_model(), picture, points))
    return found


def is_judged(person: str) -> bool:
    """Whether a London person is not trained on, but judged by."""
    return int(person) % OTHER_PEOPLE == FIRST


def london() -> tuple[list[Person], list[Person]]:
    """London people to train on and to judge by, with the points that people placed."""
    detector, found = open_detector(OWN), []
    for person, _, path in photos(held_out=False):
        picture = read_photo(path).pixels
        found.append((person, picture, detector.detect(picture).landmarks, template_of(path)))
    beside = []
    for _, _, seen, template in found:
        if template is not None:
            by_hand = Landmarks(DENSE, placed_by_hand(seen.points, template), seen.image_size)
            frame = face_frame(by_hand)
            beside.append(frame.to_frame(by_hand.points) - frame.to_frame(seen.points))
    usual = np.median(beside, axis=0)
    usual = (usual + usual[_MIRROR] * (-1, 1)) / 2
    people: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {}
    for person, picture, seen, template in found:
        frame = face_frame(seen)
        points = frame.to_pixels(frame.to_frame(seen.points) + usual)
        if template is not None:
            points = placed_by_hand(seen.points, template)
        crop, cut = align(picture, Landmarks(DENSE, points, seen.image_size), PHOTO_SIZE)
        shown, there = people.setdefault(person, ([], []))
        shown.append(crop)
        there.append(cut.points / PHOTO_SIZE)
    judged = {person for person in people if is_judged(person)}
    return tuple([as_person(*people[one]) for one in sorted(some)] for some in (people.keys() - judged, judged))


def as_person(shown: Sequence[np.ndarray], points: Sequence[np.ndarray]) -> Person:
    """A person of (rows, columns, 3) photos and their points."""
    return Person(torch.from_numpy(np.stack(shown).transpose(0, 3, 1, 2).copy()), torch.from_numpy(np.float32(points)))


class Batch(NamedTuple):
    """Photos of people, one after the other.

    Attributes:
        person: All of them.
        whose: (n,) whose each is.
        real: (n,) whether it is a real one.
        poor: (n,) whether it is made poor.
    """

    person: Person
    whose: Tensor
    real: Tensor
    poor: Tensor


def drawn(synthetic: Sequence[Person], real: Sequence[Person]) -> Batch:
    """Photos of BATCH people."""
    people, are_real = [], []
    for _ in range(BATCH):
        among = real if torch.rand(()) < REAL_SHARE else synthetic
        one = among[int(torch.randint(len(among), ()))]
        which = torch.randint(len(one.photos), (SHOWN,)) if among is real else torch.arange(SHOWN)
        people.append(Person(one.photos[which], one.points[which]))
        are_real.append(among is real)
    joined = Person(torch.cat([one.photos for one in people]), torch.cat([one.points for one in people]))
    whose, is_real = torch.arange(BATCH).repeat_interleave(SHOWN), torch.tensor(are_real).repeat_interleave(SHOWN)
    return Batch(joined, whose, is_real, torch.rand(len(whose)) < POOR)


def patches_of(patch: Patch, batch: Batch, hidden: float = COVERED) -> Patches:
    """Patches as they are trained on, something in the way in this share of them."""
    files = batch.person._replace(photos=packed(batch.person.photos, batch.poor))
    seen = covered(cut(patch, files, batch.whose, warped=True), hidden * batch.poor)
    return seen._replace(images=relit(seen.images, batch.whose, batch.poor))


def cut(patch: Patch, person: Person, whose: Tensor, *, warped: bool) -> Patches:
    """The patch of both sides of photos, warped or as they are."""
    count = len(person.photos)
    turn, zoom, shift = torch.zeros(count), torch.ones(count), torch.zeros(count, 2)
    warp = torch.zeros(count, WARPED, WARPED, 2)
    parts, strength = [warp], WEAKEST + (1 - WEAKEST) * torch.rand(count)
    if warped:
        turn, zoom, shift = (torch.randn_like(one) * far for one, far in ((turn, ANGLE), (zoom, ZOOM), (shift, SHIFT)))
        zoom = 1 + zoom
        smooth = (bumps(count, WARPED, (one,), bumpy=1) for one in BUMPS)
        parts = [
            one * (chosen(THERE, count, 1) * strength.view(-1, 1, 1, 1)).permute(0, 2, 3, 1)
            for one in (fields(count, WARPED), *smooth, tents(count))
        ]
        warp = torch.stack([other_shapes(len(whose.unique()), WARPED, torch.device("cpu"))[whose], *parts]).sum(0)
    points = moved(person.points, turn, zoom, shift, warp)
    unmoved = [moved(person.points, turn, zoom, shift, warp - one) if warped else points for one in parts]
    cosine, sine = ((zoom * one)[:, None, None] for one in (turn.cos(), turn.sin()))
    shown = person.photos.float()
    images, places, by = [], [], []
    for side in Side:
        grid = _grid(patch, side).expand(count, -1, -1, -1)
        across, down = grid.unbind(3)
        there = torch.stack([cosine * across - sine * down, sine * across + cosine * down], 3) + shift[:, None, None]
        there = there + F.grid_sample(
            warp.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=False
        ).permute(0, 2, 3, 1)
        images.append(F.grid_sample(shown, there, padding_mode="border", align_corners=False) / 255)
        places.append(_in_patch(patch, side, points))
        by.append(torch.stack([places[-1] - _in_patch(patch, side, one) for one in unmoved]))
    at, unwarped = torch.stack(places), torch.stack([_in_patch(patch, side, person.points) for side in Side])
    nothing = torch.zeros(at.shape[:3], dtype=torch.bool)
    return Patches(torch.stack(images), at, strength, torch.stack(by, 1), unwarped, nothing)


def packed(photos: Tensor, poor: Tensor) -> Tensor:
    """(n, 3, side, side) uint8 photos, some of the poor ones as JPEG files of other sizes hold them."""
    found = photos.clone()
    for one in (poor & (torch.rand(len(photos)) < PACKED)).nonzero().flatten().tolist():
        side = round(PHOTO_SIZE * (SMALLEST + (LARGEST - SMALLEST) * float(torch.rand(()))))
        other = F.interpolate(photos[one : one + 1], (side, side), mode="bilinear", antialias=True)
        file = jpeg(other[0], int(torch.randint(WORST, BEST + 1, ())))
        found[one] = F.interpolate(file[None], photos.shape[2:], mode="bilinear", antialias=True)[0]
    return found


def _in_patch(patch: Patch, side: Side, points: Tensor) -> Tensor:
    """(n, k, 2) pixels of the patch of one side, of (n, DENSE, 2) shares of an aligned photo."""
    framed = (points[:, list(patch.points_on(side))] - torch.tensor(CROP_ORIGIN)) / CROP_CANTHUS_DISTANCE
    outwards, below = framed[..., 0] * side.sign - patch.nearest, framed[..., 1] - patch.top
    return torch.stack([patch.columns - outwards * PIXELS_PER_IOD, below * PIXELS_PER_IOD], 2)


def tents(count: int) -> Tensor:
    """(count, WARPED, WARPED, 2) shifts in half sides, of few knots of a grid that lies anywhere, linear between them.

    Where skin creases, what moves most is a line or a place; of smooth fields its surroundings move nearly as much.
    """
    total = torch.zeros(count, 2, WARPED, WARPED)
    for knots, most, moving in BUMPS:
        shifts = (2 * torch.rand(count, 2, knots + 1, knots + 1) - 1) * most * chosen(moving, count, knots + 1)
        longer = WARPED + WARPED // (knots - 1)
        field = F.interpolate(shifts, (longer, longer), mode="bilinear", align_corners=True)
        left, top = torch.randint(longer - WARPED, (2,)).tolist()
        total += field[..., top : top + WARPED, left : left + WARPED]
    return total.permute(0, 2, 3, 1)


def covered(seen: Patches, share: float | Tensor) -> Patches:
    """Some patches with something in the way: an ellipse of one colour, of the face's own, or of another face."""
    count, (rows, columns) = seen.images.shape[1], seen.images.shape[-2:]
    centre = torch.rand(2, count, 2) * torch.tensor([columns, rows])
    axes = (NARROWEST + (WIDEST - NARROWEST) * torch.rand(2, count, 2)) * columns
    turn, there = torch.rand(2, count) * math.pi, torch.rand(2, count) < share

    def inside(places: Tensor) -> Tensor:
        """Of (2, n, ..., 2) places, whether they lie in their ellipse."""
        shape = (2, count, *(1 for _ in places.shape[2:-1]))
        across, down = (places - centre.view(*shape, 2)).unbind(-1)
        cosine, sine = turn.cos().view(shape), turn.sin().view(shape)
        far = ((cosine * across + sine * down) / axes[..., 0].view(shape)).square()
        return (far + ((cosine * down - sine * across) / axes[..., 1].view(shape)).square() < 1) & there.view(shape)

    grid = torch.stack(torch.meshgrid(torch.arange(columns) + 0.5, torch.arange(rows) + 0.5, indexing="xy"), 2)
    colour, kind = torch.rand(2, count, 3, 1, 1), torch.randint(4, (2, count, 1, 1, 1))
    skin = seen.images.mean((3, 4), keepdim=True) * (DARKEST + (LIGHTEST - DARKEST) * torch.rand(2, count, 1, 1, 1))
    places = [int(torch.randint(most, ())) for most in (count - 1, rows, columns)]
    other = seen.images.roll((1 + places[0], *places[1:]), (1, 3, 4))
    other = torch.where(kind < 3, other, other.flip(3))
    thing = torch.where(kind == 0, colour, torch.where(kind == 1, skin, other))
    images = torch.where(inside(grid.expand(2, count, -1, -1, -1))[:, :, None], thing, seen.images)
    return seen._replace(images=images, hidden=inside(seen.points))


def _grid(patch: Patch, side: Side) -> Tensor:
    """(1, rows, columns, 2) where the patch's pixels lie in an aligned photo, from -1 to 1."""
    across = side.sign * (patch.nearest + (patch.columns - torch.arange(patch.columns) - 0.5) / PIXELS_PER_IOD)
    down = patch.top + (torch.arange(patch.rows) + 0.5) / PIXELS_PER_IOD
    framed = torch.stack(torch.meshgrid(across, down, indexing="xy"), 2)
    return 2 * (framed * CROP_CANTHUS_DISTANCE + torch.tensor(CROP_ORIGIN))[None] - 1


def relit(images: Tensor, whose: Tensor, poor: Tensor) -> Tensor:
    """(2, n, 3, rows, columns) patches, poor ones with other colours, light, focus, resolution and noise.

    Both sides are alike but for light and noise; what is not poor stays as it is.
    """
    given, count, people = images, images.shape[1], int(whose.max()) + 1
    rows, columns = images.shape[-2:]

    def of_photo() -> Tensor:
        return torch.randn(count, 1, 1, 1)

    def ofas_person(channels: int = 1) -> Tensor:
        return torch.randn(people, channels, 1, 1)[whose]

    images = images + (of_photo() + ofas_person()) * BEND * (images - images.square())
    longer = max(rows, columns)
    light = field_between(torch.randn(2 * count, 1, 4, 4) * LIGHT, longer)[..., :rows, :columns]
    images = images * light.view(2, count, 1, rows, columns).exp() * (1 + ofas_person(3) * TINT)
    grey = (torch.rand(people, 1, 1, 1) < GREY)[whose]
    images = torch.where(grey, images.mean(2, keepdim=True), images)
    mean = images.mean((0, 2, 3, 4), keepdim=True)[0]
    images = (images - mean) * (ofas_person() * CONTRAST).exp() + mean + of_photo() * BRIGHTNESS
    flat = images.flatten(0, 1)
    by = 1 + (COARSEST - 1) * float(torch.rand(()))
    small = F.interpolate(flat, (int(rows / by), int(columns / by)), mode="bilinear", antialias=True)
    coarse = (torch.rand(count) < COARSE).repeat(2)[:, None, None, None]
    flat = torch.where(coarse, F.interpolate(small, (rows, columns), mode="bicubic"), flat)
    blurred = flat
    for size, edge in (((1, 5), (0, 2)), ((5, 1), (2, 0))):
        blurred = F.avg_pool2d(blurred, size, 1, edge, count_include_pad=False)
    flat = flat.lerp(blurred, torch.rand(count).repeat(2)[:, None, None, None])
    flat = flat + torch.randn_like(flat) * torch.rand(2 * count, 1, 1, 1) * NOISE
    return torch.where(poor[:, None, None, None], flat.view_as(given), given)


class Losses(NamedTuple):
    """Of a batch.

    Attributes:
        by_name: Distances in iod as in `training.landmarks`, means over what is not covered, and the negative log
            likelihood.
        excess: (2, groups, 1 + warps, k, 2) how much points are too far, across and down, in the direction of what
            moved them, and how much that moved them; of good and poor photos that are rendered, then of such that are
            real; of each kind of warp, and last of left minus right as rendered, which nobody knows so well of real
            photos. Their ratio is the share that is found in excess.
    """

    by_name: dict[str, Tensor]
    excess: Tensor


def losses(network: PatchLandmarker, seen: Patches, whose: Tensor, real: Tensor, poor: Tensor) -> Losses:
    """The losses of photos, each of a person, real or rendered, poor or not."""
    features = network.features(seen.images.flatten(0, 1))
    maps, hidden = network.maps_of(features), seen.hidden.flatten(0, 1)
    apart = ((pixels(maps) - seen.points.flatten(0, 1)) / PIXELS_PER_IOD).view_as(seen.points)
    both, clear = torch.cat([*apart], 1), ~torch.cat([*seen.hidden], 1)
    people = int(whose.max()) + 1

    def movement(one: Tensor) -> Tensor:
        mean = torch.zeros(people, *one.shape[1:]).index_add(0, whose, one) / torch.bincount(whose)[:, None, None]
        return one - mean[whose]

    moved_by = [movement(torch.cat([*one], 1) / PIXELS_PER_IOD) for one in seen.moved]
    error, excess, counts = movement(both), [], clear[..., None] / seen.strength.square()[:, None, None]
    between, clear_of_both = (seen.unwarped[0] - seen.unwarped[1]) / PIXELS_PER_IOD, ~seen.hidden.any(0)
    for mine in (~real & ~poor, ~real & poor, real & ~poor, real & poor):
        for by in moved_by:
            weight = (by * counts)[mine]
            excess.append([(weight * one[mine]).sum(0).view(2, -1, 2).sum(0) for one in (error, by)])
        weight = between * (clear_of_both & (mine & ~real)[:, None])[..., None]
        excess.append([(weight * one).sum(0) for one in (apart[0] - apart[1], between)])
    by_name = {
        "place": _length(apart).mean(),
        "sides": _length(apart[0] - apart[1])[~seen.hidden.any(0)].mean(),
        "movement": _length(error)[clear].mean(),
        "likelihood": _surprise(maps, seen.points.flatten(0, 1)).mean(),
        "covered": F.binary_cross_entropy_with_logits(
            network.cover_of(features, maps.detach()), hidden.float(), pos_weight=torch.tensor(COVERED_COUNT)
        ),
    }
    found = torch.stack([torch.stack(one) for one in zip(*excess, strict=True)])
    return Losses(by_name, found.unflatten(1, (4, -1)))


def _surprise(maps: Tensor, true: Tensor) -> Tensor:
    """(n, points) negative log likelihood of places near the true one."""
    rows, columns = maps.shape[-2:]
    across, down = ((torch.arange(count) + 0.5) * STRIDE for count in (columns, rows))
    near_x = (-((across - true[..., :1]) / SURE).square() / 2).softmax(2)
    near_y = (-((down - true[..., 1:]) / SURE).square() / 2).softmax(2)
    return -(near_y[..., None] * near_x[..., None, :] * maps.clamp(min=1e-9).log()).sum((2, 3))


def _length(vectors: Tensor) -> Tensor:
    return vectors.square().sum(-1).clamp(min=1e-12).sqrt()


@torch.inference_mode()
def factors(network: PatchLandmarker, patch: Patch, people: Sequence[Person]) -> Tensor:
    """(points,) root mean squared error over that of the spread."""
    errors, widths = [], []
    for person in people:
        seen = cut(patch, person, torch.zeros(len(person.photos), dtype=torch.long), warped=False)
        found = network(seen.images.flatten(0, 1))
        errors.append((found.points - seen.points.flatten(0, 1)).square().mean(2))
        widths.append((found.sigma / network.factors).square())
    return (torch.cat(errors).mean(0) / torch.cat(widths).mean(0)).sqrt()


@torch.no_grad()
def go_back(network: PatchLandmarker, start: PatchLandmarker, way: float) -> None:
    """Leave only this part of the way between the weights that training began with and those that it led to."""
    for now, before in zip(network.parameters(), start.parameters(), strict=True):
        now.copy_(before.lerp(now, way))


@torch.no_grad()
def measure_anew(network: PatchLandmarker, patch: Patch, people: Sequence[Person], real: Sequence[Person]) -> None:
    """Fit what each normalisation takes for mean and variance to the weights."""
    parts = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in parts:
        part.reset_running_stats()
        part.momentum = None
    network.train()
    for _ in range(MEASURED):
        network.features(patches_of(patch, drawn(people, real), hidden=0).images.flatten(0, 1))
    network.eval()


@torch.inference_mode()
def covers_judged(network: PatchLandmarker, patch: Patch, people: Sequence[Person]) -> str:
    """What share of the covered points is found, and of the others is taken for covered, at even odds."""
    hidden, said = [], []
    for person in people:
        whose = torch.zeros(len(person.photos), dtype=torch.long)
        seen = covered(cut(patch, person, whose, warped=False), COVERED_JUDGED)
        hidden.append(seen.hidden.flatten(0, 1))
        images = relit(seen.images, whose, torch.rand(len(whose)) < POOR)
        said.append(network(images.flatten(0, 1)).covered > 0.5)
    all_hidden, all_said = torch.cat(hidden), torch.cat(said)
    return f"{float(all_said[all_hidden].float().mean()):.1%} and {float(all_said[~all_hidden].float().mean()):.2%}"


@torch.inference_mode()
def judged(network: PatchLandmarker, patch: Patch, people: Sequence[Person]) -> dict[str, float]:
    """Mean losses over people, each under one warp that is the same whenever this is asked."""
    state, found = torch.get_rng_state(), []
    torch.manual_seed(0)
    for person in people:
        whose = torch.zeros(len(person.photos), dtype=torch.long)
        found.append(losses(network, cut(patch, person, whose, warped=True), whose, whose > 0, whose > 0).by_name)
    torch.set_rng_state(state)
    return {name: round(float(torch.stack([one[name] for one in found]).mean()), 5) for name in found[0]}


def counted(patch: Patch) -> Tensor:
    """(k, 2) 1 where the share of a warp that is found counts, 0 along lines, where nobody sees a point move."""
    points = patch.points_on(Side.RIGHT)
    return torch.tensor([(float(one in SEEN_ACROSS), 1.0) for one in points])


def main() -> None:
    """Train one of them, and write the running mean of the weights, gone back a part of the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch", choices=PATCHES)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--steps", type=int, default=1800)
    given = parser.parse_args()
    torch.manual_seed(0)
    name, patch = PATCHES[given.patch]
    real, real_others = london()
    others: list[Person] = []
    people: list[Person] = []
    worn = skins()
    for setting in (SETTING, OTHERS):
        for number, person in enumerate(synthetic(setting, given.work / "large", worn)):
            (others if number in VALIDATION else people).append(person)
    path = given.work / f"{name}.safetensors"
    spec = PatchLandmarkerSpec(patch.columns, patch.rows, len(patch.points_on(Side.RIGHT)))
    if path.exists():
        network = load_checkpoint(path, PatchLandmarkerSpec).network
    else:
        network = shipped(name, spec, patches_of(patch, drawn(people, real), hidden=0).images.flatten(0, 1))
    start = copy.deepcopy(network)
    network.train()
    network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    where = counted(patch)
    remembered: Tensor | None = None
    for step in range(1, given.steps + 1):
        for group in optimizer.param_groups:
            cosine = 0.5 + 0.5 * math.cos(math.pi * step / given.steps)
            group["lr"] = RATE * min(1.0, step / WARM_UP) * max(0.02, cosine)
        batch = drawn(people, real)
        seen = patches_of(patch, batch)
        with torch.autocast("cpu", torch.bfloat16):
            found = losses(network, seen, batch.whose, batch.real, batch.poor)
        of_step = {one: WEIGHTS[one] * loss for one, loss in found.by_name.items()}
        now = found.excess.detach()
        remembered = now if remembered is None else now.lerp(remembered, REMEMBERED)
        by = remembered[1].clamp(min=LEAST_MOVED)
        excess = remembered[0] / by
        # Its gradient is that of half the square of what is remembered.
        of_step["share"] = SHARE * (excess * found.excess[0] / by * where).sum((2, 3)).mean() / where.sum()
        optimizer.zero_grad()
        torch.stack(list(of_step.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        follow(average, network, step)
        if step % LOOK and step < given.steps:
            continue
        print(
            f"step {step}: rendered {judged(average, patch, others)}, real {judged(average, patch, 4 * real_others)}, "
            f"too far {[[round(float((kind * where).sum() / where.sum()), 3) for kind in one] for one in excess]}",
            flush=True,
        )
        if step == given.steps:
            go_back(average, start, WAY[given.patch])
            measure_anew(average, patch, people, real)
            print(f"covers, rendered people: {covers_judged(average, patch, others)}")
        average.factors.copy_(factors(average, patch, others))
        save_checkpoint(path, average, spec, {"london": len(real), "steps": step})


if __name__ == "__main__":
    main()
