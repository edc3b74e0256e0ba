"""Limbus: where the iris meets the white, read from the photo itself about where a network has found it.

A network that sees few gazes places an iris where irises usually are. Its edge is dark within and white without, and
between the lids it lies open: from the found circle the steepest step is sought along rays, and the circle moves to
where the steps are, as far as they and the network's own errors weigh. After Daugman 1993 (IEEE PAMI 15(11)), who looks
for the circle of the steepest step, with the network's answer as the expectation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face import DENSE
from facialpalsy.face.patches import EYE, IRIS

Floats = NDArray[np.float64]

_PUPIL, *_RING = (EYE.pairs.index(one) for one in IRIS)
_UPPER, _LOWER = ([EYE.pairs.index(one) for one in DENSE.right_curves[lid]] for lid in ("upper_lid", "lower_lid"))
_RAYS = 48
_ANGLES = 2 * np.pi * np.arange(_RAYS) / _RAYS
# (rays, 3): what a shift right, a shift down and a wider circle add to the way along each ray.
_ALONG = np.stack([np.cos(_ANGLES), np.sin(_ANGLES), np.ones(_RAYS)], axis=1)
# In pixels of a patch: how far from the circle the edge is sought, not as far in as a wide pupil, by which steps, and
# over which way light changes.
_IN, _OUT, _STEP, _OVER = 2.5, 3.5, 0.5, 1.0
_OFFSETS = np.arange(-_IN - _OVER, _OUT + _OVER + _STEP / 2, _STEP)
_APART = round(_OVER / _STEP)
# Standard deviations of the network's centre and radius and of an edge, and how far from a lid it is seen.
_CENTRE, _RADIUS, _EDGE, _CLEAR = 1.4, 0.9, 0.45, 0.5
# Share of all that the light changes along a ray that a sharp edge has, and how fast a blurred one, into which the lids
# run, loses its weight.
_SHARP, _BLUNT = 0.62, 6
# Rays that one edge counts for: neighbours see the same pixels.
_ALIKE = 3.0
_FEWEST, _ROUNDS, _WEIGHED = 8, 2, 3
_LUMA = np.array([0.3, 0.6, 0.1], np.float32)


def fitted(patches: NDArray[np.uint8], points: Floats) -> Floats:
    """The points of n eyes, with the irises where the photo shows their edges and the pupils in their centres.

    Args:
        patches: (n, rows, columns, 3) pictures of the eyes, the left ones flipped, as `EYE` cuts them.
        points: (n, k, 2) their pixels as a network found them, in the order of `EYE`.

    Returns:
        (n, k, 2); an eye that shows too little of the edge keeps its own.
    """
    light = patches.astype(np.float32) @ _LUMA
    ring, lids = points[:, _RING], (points[:, _UPPER], points[:, _LOWER])
    centre = ring.mean(axis=1)
    radius = np.linalg.norm(ring - centre[:, None], axis=2).mean(axis=1).clip(1e-6)
    circle = found = np.column_stack([centre, radius])
    for _ in range(_ROUNDS):
        way, weight = _edges(light, circle, *lids)
        circle = circle + _step(way, weight, found - circle)
    seen = (weight > 0).sum(axis=1) >= _FEWEST
    wider, there = circle[:, 2] / radius, circle[:, None, :2]
    moved = points.copy()
    moved[:, _RING] = there + wider[:, None, None] * (ring - centre[:, None])
    moved[:, _PUPIL] = there[:, 0]
    return np.where(seen[:, None, None], moved, points)


def _edges(light: NDArray[np.float32], circle: Floats, upper: Floats, lower: Floats) -> tuple[Floats, Floats]:
    """(n, rays) way from the circle to the steepest step from dark to light, and how much each counts."""
    far = circle[:, 2, None, None] + _OFFSETS
    places = circle[:, None, None, :2] + far[..., None] * _ALONG[:, None, :2]
    values = _between(light, places)
    steps = values[:, :, 2 * _APART :] - values[:, :, : -2 * _APART]
    offsets = _OFFSETS[_APART:-_APART]
    # What lies far from where the edge is expected is another edge.
    likely = steps.clip(0) * np.exp(-np.square(offsets / (1.5 * _CENTRE)) / 2)
    near = abs(offsets - offsets[likely.argmax(axis=2)][..., None]) <= _OVER
    best = np.where(near, steps, -np.inf)[:, :, 1:-1].argmax(axis=2)[..., None] + 1
    before, at, after = (np.take_along_axis(steps, best + by, 2)[..., 0] for by in (-1, 0, 1))
    bend = before - 2 * at + after
    between = np.where(bend < 0, (before - after) / np.where(bend < 0, 2 * bend, 1), 0).clip(-1, 1)
    way = offsets[best[..., 0]] + between * _STEP
    edge = circle[:, None, :2] + (circle[:, 2, None] + way)[..., None] * _ALONG[:, :2]
    weight = np.where(_open(edge, upper, lower), at.clip(0), 0)
    rise = values.max(axis=2) - values.min(axis=2)
    sharp = _usual(np.where(weight > 0, at / rise.clip(1e-6), 0))
    return way, (weight / _usual(weight)).clip(0, 1.5) * (sharp / _SHARP).clip(0, 1.3) ** _BLUNT


def _usual(values: Floats) -> Floats:
    """(n, 1) median of those (n, rays) that are not 0; 1 where all are."""
    some = [np.sort(one[one > 0]) for one in values]
    # numpy's own median takes ten times as long for so few.
    return np.array([[(one[len(one) // 2] + one[~(len(one) // 2)]) / 2 if len(one) else 1.0] for one in some])


def _step(way: Floats, weight: Floats, back: Floats) -> Floats:
    """(n, 3) what centre and radius change by, of ways (n, rays) to the edge and of those (n, 3) to what was found."""
    trust = np.array([_CENTRE, _CENTRE, _RADIUS]) ** -2.0
    counts = weight
    for _ in range(_WEIGHED):
        pull = counts / (_ALIKE * _EDGE**2)
        system = np.einsum("nr,ri,rj->nij", pull, _ALONG, _ALONG) + np.diag(trust)
        right = np.einsum("nr,ri->ni", pull * way, _ALONG) + trust * back
        change = np.linalg.solve(system, right[..., None])[..., 0]
        counts = weight / (1 + np.square((way - change @ _ALONG.T) / _EDGE))
    return np.asarray(change)


def _open(places: Floats, upper: Floats, lower: Floats) -> NDArray[np.bool_]:
    """(n, rays) whether places lie between the lids."""
    seen = np.zeros(places.shape[:2], bool)
    for one, place in enumerate(places):
        above, below = (lid[one][np.argsort(lid[one][:, 0])] for lid in (upper, lower))
        x, y = place.T
        seen[one] = (x > above[0, 0]) & (x < above[-1, 0]) & (y > np.interp(x, *above.T) + _CLEAR)
        seen[one] &= y < np.interp(x, *below.T) - _CLEAR
    return seen


def _between(light: NDArray[np.float32], places: Floats) -> Floats:
    """Light (n, rows, columns) at places (n, ..., 2), linear between the centres of pixels."""
    rows, columns = light.shape[1:]
    x = (places[..., 0] - 0.5).clip(0, columns - 1.001)
    y = (places[..., 1] - 0.5).clip(0, rows - 1.001)
    left, top = x.astype(int), y.astype(int)
    across, down = x - left, y - top
    first = (np.arange(len(light)) * rows).reshape(-1, *(1 for _ in places.shape[2:]))
    flat, at = light.ravel(), (first + top) * columns + left
    over = flat[at] * (1 - across) + flat[at + 1] * across
    under = flat[at + columns] * (1 - across) + flat[at + columns + 1] * across
    return np.asarray(over * (1 - down) + under * down)
