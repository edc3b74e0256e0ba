"""Augment: the same exam as another camera, another light and the mirror would show it, or of a face of another shape.

The sizes of the changes are those of ordinary photos of one session: a camera and its light change over an exam less
than between exams, so most draws are one per exam. A face's shape is changed alike in all photos and on both sides, so
what the sides do against each other stays. All of it runs where the tensors are.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor

from facialpalsy.face import DENSE
from facialpalsy.models.roi import MIRRORED_REGIONS
from facialpalsy.training.au_targets import mirrored_centres
from facialpalsy.training.exams import UNKNOWN_REGION, Batch
from facialpalsy.training.targets import mirrored_targets

MIRROR_SHARE = 0.5
DROPPED_SHARE = 0.12

# Standard deviations; angles in radians, shifts in half sides of a photo. Region pictures and centres are not
# moved with their photo: the change is below one place of the network's grid.
_ANGLE, _ZOOM, _SHIFT = 0.03, 0.03, 0.02
_TINT, _BEND, _LIGHT, _CONTRAST, _BRIGHTNESS = 0.1, 0.2, 0.2, 0.2, 0.05
_GREY_SHARE, _NOISE = 0.15, 0.03
# Pixels over which a photo out of focus is blurred.
_SOFT = 5
# Smooth fields by a net of so many knots a side: uneven light, and a warp that changes a length between neighbouring
# knots by about a twelfth.
_LIGHT_KNOTS, _WARP_KNOTS, _WARP = 4, 5, 0.03
_UNEVEN_KNOTS, _UNEVEN = 7, 0.02
_MIRROR = list(DENSE.mirror)
_SETTLED = 15


def augmented(batch: Batch, size: int, *, partial: bool = False, uneven: bool = False) -> Batch:
    """A random variant of every exam, photos (m, 3, size, size) about 0 to 1; it draws from torch's own generators.

    Args:
        batch: The exams.
        size: Side of the photos that come out.
        partial: Whether exams are cut to any part of them, down to a single photo; else they miss a few photos.
        uneven: Whether each photo is also warped by itself, its sides independently; what the sides do against each
            other is then no longer what the labels say, only points follow.
    """
    batch = mirrored(batch, torch.rand(len(batch.grade), device=batch.grade.device) < MIRROR_SHARE)
    exams = len(batch.grade)
    dropped = torch.rand(exams, device=batch.grade.device) if partial else torch.full((exams,), DROPPED_SHARE)
    batch = with_photos(batch, kept(batch.exam, dropped.to(batch.grade.device)))
    count, device = len(batch.images), batch.images.device
    turn = torch.randn(count, device=device) * _ANGLE
    zoom = 1 + torch.randn(count, device=device) * _ZOOM
    shift = torch.randn(count, 2, device=device) * _SHIFT
    warp = other_shapes(len(batch.grade), size, device)[batch.exam]
    if uneven:
        knots = torch.randn(count, 2, _UNEVEN_KNOTS, _UNEVEN_KNOTS, device=device) * _UNEVEN
        warp = warp + field_between(knots, size).permute(0, 2, 3, 1)
    return batch._replace(
        images=relit(resampled(batch.images, size, turn, zoom, shift, warp), batch.exam),
        points=moved(batch.points, turn, zoom, shift, warp),
    )


def plain(batch: Batch, size: int) -> Batch:
    """The exams as they are, photos (n, 3, size, size) 0 to 1."""
    zero = torch.zeros(len(batch.images), device=batch.images.device)
    images = resampled(batch.images, size, zero, zero + 1, zero[:, None].expand(-1, 2), None)
    return batch._replace(images=images)


def mirrored(batch: Batch, chosen: Tensor) -> Batch:
    """The batch with the exams where (e,) `chosen` is true mirrored: photos, regions, sides and truths together."""
    photo = chosen[batch.exam]
    swap = torch.arange(256, dtype=torch.uint8, device=chosen.device)
    swap[1 : 1 + len(MIRRORED_REGIONS)] = 1 + torch.tensor(MIRRORED_REGIONS, dtype=torch.uint8, device=chosen.device)
    place, pair = photo[:, None, None], photo[:, None, None]
    return batch._replace(
        images=torch.where(photo[:, None, None, None], batch.images.flip(-1), batch.images),
        regions=torch.where(place, swap[batch.regions.flip(-1).long()], batch.regions),
        photo_truth=torch.where(pair, mirrored_targets(batch.photo_truth), batch.photo_truth),
        exam_truth=torch.where(chosen[:, None, None], mirrored_targets(batch.exam_truth), batch.exam_truth),
        side=torch.where(chosen, 1 - batch.side, batch.side),
        units=torch.where(chosen[:, None, None], batch.units.flip(-1), batch.units),
        centres=torch.where(pair[..., None], mirrored_centres(batch.centres), batch.centres),
        points=torch.where(pair, mirrored_points(batch.points), batch.points),
    )


def with_photos(batch: Batch, kept: Tensor) -> Batch:
    """The batch with the photos where (n,) `kept` is true; its exams stay."""
    names = ("images", "expressions", "exam", "regions", "photo_truth", "centres", "points")
    return batch._replace(**{name: getattr(batch, name)[kept] for name in names})


def kept(exam: Tensor, dropped: Tensor) -> Tensor:
    """All but about this share (e,) of the photos of every exam, but at least one."""
    drawn = torch.rand(len(exam), device=exam.device)
    last = torch.full_like(dropped, -1.0).scatter_reduce(0, exam, drawn, "amax")
    return (drawn >= dropped[exam]) | (drawn == last[exam])


def other_shapes(count: int, size: int, device: torch.device) -> Tensor:
    """(count, size, size, 2) smooth random shifts in half sides, each its own mirror image."""
    knots = torch.randn(count, 2, _WARP_KNOTS, _WARP_KNOTS, device=device) * _WARP
    across, down = (knots - knots.flip(-1))[:, :1], (knots + knots.flip(-1))[:, 1:]
    return field_between(torch.cat([across, down], 1) / 2**0.5, size).permute(0, 2, 3, 1)


def field_between(knots: Tensor, size: int) -> Tensor:
    """(..., size, size) the smooth field through (..., k, k) knots, the outer ones at the borders: bicubic."""
    along = _along(size, knots.shape[-1]).to(knots)
    return along @ knots @ along.T


@cache
def _along(size: int, knots: int) -> Tensor:
    """(size, knots) what each knot counts at each place of a line: as a product, ten times as fast as interpolating."""
    line = F.interpolate(torch.eye(knots)[None, None], (size, knots), mode="bicubic", align_corners=True)
    return line[0, 0]


def resampled(images: Tensor, size: int, turn: Tensor, zoom: Tensor, shift: Tensor, warp: Tensor | None) -> Tensor:
    """(n, 3, s, s) uint8 as (n, 3, size, size) float 0 to 1, each turned, zoomed, shifted and warped; borders go on."""
    cosine, sine = zoom * turn.cos(), zoom * turn.sin()
    rows = [torch.stack([cosine, -sine, shift[:, 0]], 1), torch.stack([sine, cosine, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [len(images), 3, size, size], align_corners=False)
    places = grid if warp is None else grid + warp
    return F.grid_sample(images.float() / 255, places, padding_mode="border", align_corners=False)


def moved(points: Tensor, turn: Tensor, zoom: Tensor, shift: Tensor, warp: Tensor) -> Tensor:
    """(n, points, 2) points of photos, as shares, where `resampled` takes them."""
    there = 2 * points - 1 - shift[:, None]
    cosine, sine = (turn.cos() / zoom)[:, None], (turn.sin() / zoom)[:, None]

    def back(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([cosine * x + sine * y, cosine * y - sine * x], dim=2)

    # `resampled` says where each place comes from; hardly any warp folds, so the way back settles within a few steps.
    field, here = warp.permute(0, 3, 1, 2), back(there[..., 0], there[..., 1])
    for _ in range(_SETTLED):
        by = F.grid_sample(field, here[:, None], padding_mode="border", align_corners=False)[:, :, 0].transpose(1, 2)
        here = back(*(there - by).unbind(2))
    return (here + 1) / 2


def mirrored_points(points: Tensor) -> Tensor:
    """(n, DENSE, 2) points of the mirrored photos, as shares, each under the name of its new side."""
    return torch.stack([1 - points[:, _MIRROR, 0], points[:, _MIRROR, 1]], dim=2)


def relit(images: Tensor, exam: Tensor) -> Tensor:
    """Photos with other colours, light, focus and noise."""
    count, exams, device, side = len(images), int(exam.max()) + 1, images.device, images.shape[-1]

    def of_photo(*shape: int) -> Tensor:
        return torch.randn(count, *shape, device=device)

    def of_exam(channels: int = 1) -> Tensor:
        return torch.randn(exams, channels, 1, 1, device=device)[exam]

    # A tone curve through black and white, as a gamma is, in a tenth of the time.
    images = images + (of_photo(1, 1, 1) + of_exam()) * _BEND * (images - images.square())
    light = field_between(torch.randn(exams, 1, _LIGHT_KNOTS, _LIGHT_KNOTS, device=device) * _LIGHT, side)
    images = images * light.exp()[exam] * (1 + of_exam(3) * _TINT)
    grey = (torch.rand(exams, 1, 1, 1, device=device) < _GREY_SHARE)[exam]
    images = torch.where(grey, images.mean(1, keepdim=True), images)
    mean = images.mean((2, 3), keepdim=True)
    images = (images - mean) * (of_exam() * _CONTRAST).exp() + mean + of_photo(1, 1, 1) * _BRIGHTNESS
    soft = F.avg_pool2d(images, _SOFT, 1, _SOFT // 2, count_include_pad=False)
    images = images.lerp(soft, torch.rand(exams, 1, 1, 1, device=device)[exam])
    return images + torch.randn_like(images) * torch.rand(count, 1, 1, 1, device=device) * _NOISE


def region_shares(regions: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """(n, 6, grid, grid) share of each place in each region and in the face, and (n,) whether that is known."""
    numbers = torch.arange(1, 1 + len(MIRRORED_REGIONS), device=regions.device)[:, None, None]
    masks = regions[:, None] == numbers
    both = torch.cat([masks, masks.any(1, keepdim=True)], 1).float()
    return F.adaptive_avg_pool2d(both, grid), (regions != UNKNOWN_REGION).all(-1).all(-1)
