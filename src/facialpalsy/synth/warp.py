"""Warp: a displacement field over a picture that no point of the face can fold, and where each point goes to.

A warp is written backwards: the new picture takes at y what the old one had at g(y) = y - d(y). Both families are
built so that chosen points move by exactly what was asked. As long as the strain, the largest rate at which d changes
over a distance, stays below 1, g is one-to-one and onto (Banach's fixed-point theorem for y = p + d(y)), so nothing
folds or tears, and the place y to which any point p moves is known to machine precision.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter
from scipy.spatial import Delaunay

from facialpalsy.errors import UsageError
from facialpalsy.face.alignment import Picture

Array = NDArray[np.float64]

STRAIN_LIMIT = 0.95
"""Largest strain allowed. The strain is sampled; the rest up to 1 covers what lies between the samples."""

_STILL_PX = 1 / 512
"""Pixels that move less keep their value: at the steepest edge this is half a grey level."""
_SPLINE_MARGIN = 16
"""Pixels round the moved area after which the bicubic prefilter has forgotten the border."""
_BAND_ROWS = 256
"""Rows warped at once, which bounds the memory for large photos."""


class Warp(ABC):
    """A displacement field d(y), zero outside `box`.

    Attributes:
        box: (x0, y0, x1, y1) pixels that hold everything that moves.
        strain: Largest operator norm of the derivative of d.
    """

    box: tuple[float, float, float, float]
    strain: float

    @abstractmethod
    def at(self, points: Array) -> Array:
        """The field d (n, 2) in pixels at places (n, 2) of the new picture."""

    @abstractmethod
    def on_grid(self, x: Array, y: Array) -> Array:
        """The field d (2, len(y), len(x)) in pixels on the grid of the coordinates x and y of the new picture."""

    @abstractmethod
    def forward(self, points: Array) -> Array:
        """Places (n, 2) in the new picture of points (n, 2) of the old one."""

    def backward(self, points: Array) -> Array:
        """Places (n, 2) in the old picture of points (n, 2) of the new one."""
        return points - self.at(points)

    def apply(self, picture: Picture) -> Picture:
        """The warped copy of a (h, w, 3) picture, bicubic; what does not move stays bit-identical.

        Beyond its edge the picture continues mirrored.
        """
        warped = picture.copy()
        height, width = picture.shape[:2]
        x0, y0 = (max(0, int(np.floor(low))) for low in self.box[:2])
        x1, y1 = (min(end, int(np.ceil(high))) for end, high in zip((width, height), self.box[2:], strict=True))
        if x0 >= x1 or y0 >= y1:
            return warped
        left, top = max(0, x0 - _SPLINE_MARGIN), max(0, y0 - _SPLINE_MARGIN)
        source = picture[top : y1 + _SPLINE_MARGIN, left : x1 + _SPLINE_MARGIN]
        splines = [
            spline_filter(plane, order=3, output=np.float32, mode="mirror") for plane in np.moveaxis(source, 2, 0)
        ]
        x = np.arange(x0, x1) + 0.5
        for band in range(y0, y1, _BAND_ROWS):
            shift = self.on_grid(x, np.arange(band, min(band + _BAND_ROWS, y1)) + 0.5)
            rows, columns = np.nonzero(np.hypot(*shift) > _STILL_PX)
            dx, dy = shift[:, rows, columns]
            places = np.stack([rows + band - top - dy, columns + x0 - left - dx])
            for channel, spline in enumerate(splines):
                values = map_coordinates(spline, places, order=3, mode="mirror", prefilter=False)
                warped[rows + band, columns + x0, channel] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return warped


_REACH = 4.0
_MOST_STEPS = 800
"""Steps of the fixed-point iteration; at the largest strain allowed they shrink an error by 1e-17."""


class GaussianWarp(Warp):
    """A sum of Gaussian bumps, tapered to exactly zero at four widths, through given displacements.

    Args:
        points: (k, 2) control points of the old picture in pixels.
        displacement: (k, 2) pixels by which each moves, exactly.
        widths: (k,) standard deviations of the bumps in pixels.

    Raises:
        UsageError: control points on one place are asked to move differently.
    """

    def __init__(self, points: Array, displacement: Array, widths: Array) -> None:
        self.centres = points + displacement
        self.widths = widths
        bumps = self._bump(self.centres[:, 0], 0) * self._bump(self.centres[:, 1], 1)
        self.weights = np.linalg.lstsq(bumps, displacement, rcond=None)[0]
        if np.abs(bumps @ self.weights - displacement).max() > 1e-9 * widths.max():
            raise UsageError(_CONTRADICTION)
        moving = np.any(self.weights != 0, axis=1)
        if not moving.any():
            self.box, self.strain = (0.0, 0.0, 0.0, 0.0), 0.0
            return
        reach = _REACH * widths[moving, None]
        low, high = (self.centres[moving] - reach).min(axis=0), (self.centres[moving] + reach).max(axis=0)
        self.box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        self.strain = self._largest_strain()

    def _bump(self, coordinate: Array, axis: int, slope: bool = False) -> Array:
        """(len(coordinate), k) profile of each bump along one axis, or its derivative."""
        t = (coordinate[:, None] - self.centres[:, axis]) / self.widths
        inside = np.maximum(0.0, 1 - (t / _REACH) ** 4)
        gauss = np.exp(-(t**2) / 2)
        if not slope:
            return np.asarray(gauss * inside**2)
        return np.asarray(-gauss * (t * inside**2 + 8 * t**3 / _REACH**4 * inside) / self.widths)

    def at(self, points: Array) -> Array:
        """See `Warp.at`."""
        return np.asarray((self._bump(points[:, 0], 0) * self._bump(points[:, 1], 1)) @ self.weights)

    def on_grid(self, x: Array, y: Array) -> Array:
        """See `Warp.on_grid`; the bumps are products of their two profiles, so the grid is one matrix product."""
        along_x, along_y = self._bump(x, 0), self._bump(y, 1)
        return np.stack([(along_y * weight) @ along_x.T for weight in self.weights.T])

    def forward(self, points: Array) -> Array:
        """See `Warp.forward`; solved to 1e-10 px. Needs a strain below 1."""
        moved = points
        for _ in range(_MOST_STEPS):
            error = points - self.backward(moved)
            moved = moved + error
            if np.abs(error).max(initial=0.0) < 1e-10:
                break
        return moved

    def _largest_strain(self) -> float:
        step = self.widths.min() / 8
        x0, y0, x1, y1 = self.box
        x, y = np.arange(x0, x1 + step, step), np.arange(y0, y1 + step, step)
        along_x, along_y = self._bump(x, 0), self._bump(y, 1)
        slope_x, slope_y = self._bump(x, 0, slope=True), self._bump(y, 1, slope=True)
        (a, b), (c, d) = (((along_y * weight) @ slope_x.T, (slope_y * weight) @ along_x.T) for weight in self.weights.T)
        return float(_operator_norm(a, b, c, d).max())


_ON_EDGE = -1e-9
"""Smallest barycentric coordinate inside a triangle: a point on the edge of two must not fall between them."""


class PiecewiseAffineWarp(Warp):
    """One affine map per triangle of a Delaunay triangulation of the moved control points.

    Args:
        points: (k, 2) control points of the old picture in pixels; those on the convex hull must not move.
        displacement: (k, 2) pixels by which each moves, exactly.

    Raises:
        UsageError: control points on one place are asked to move differently, or a point on the hull moves.
    """

    def __init__(self, points: Array, displacement: Array) -> None:
        targets, first = np.unique(points + displacement, axis=0, return_index=True)
        shift = displacement[first]
        net = Delaunay(targets)
        triangles = net.simplices
        self._new, self._old, self._shift = targets[triangles], (targets - shift)[triangles], shift[triangles]
        if np.abs(self.at(points + displacement) - displacement).max() > 1e-9 * np.ptp(points):
            raise UsageError(_CONTRADICTION)
        if np.any(shift[net.convex_hull]):
            raise UsageError(
                "A landmark that should move lies outside the face; use a frontal photo with landmarks on the face."
            )
        self._moving = np.any(self._shift != 0, axis=(1, 2))
        if not self._moving.any():
            self.box, self.strain = (0.0, 0.0, 0.0, 0.0), 0.0
            return
        new, shifts = self._new[self._moving], self._shift[self._moving]
        low, high = new.min(axis=(0, 1)), new.max(axis=(0, 1))
        self.box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        slopes = np.einsum("tij,tjk->tik", _inverse(new[:, 1:] - new[:, :1]), shifts[:, 1:] - shifts[:, :1])
        self.strain = float(_operator_norm(*slopes.reshape(-1, 4).T).max())

    def at(self, points: Array) -> Array:
        """See `Warp.at`."""
        return self._interpolated(points, self._new)

    def on_grid(self, x: Array, y: Array) -> Array:
        """See `Warp.on_grid`."""
        shift = np.zeros((2, len(y), len(x)))
        for corners, shifts in zip(self._new[self._moving], self._shift[self._moving], strict=True):
            low, high = corners.min(axis=0), corners.max(axis=0)
            columns = slice(*np.searchsorted(x, (low[0], high[0])))
            rows = slice(*np.searchsorted(y, (low[1], high[1])))
            shares = _shares(np.stack(np.meshgrid(x[columns], y[rows]), axis=-1), corners)
            inside = shares.min(axis=-1) >= _ON_EDGE
            shift[:, rows, columns][:, inside] = np.einsum("pc,ck->kp", shares[inside], shifts)
        return shift

    def forward(self, points: Array) -> Array:
        """See `Warp.forward`; exact, by the same triangles in the old picture. Needs a strain below 1."""
        return points + self._interpolated(points, self._old)

    def _interpolated(self, points: Array, triangles: Array) -> Array:
        """(n, 2) displacement at points (n, 2) located in the new or the old triangles; zero outside all of them."""
        shares = _shares(points[:, None], triangles)
        best = shares.min(axis=-1).argmax(axis=1)
        share = shares[np.arange(len(points)), best]
        shift = np.einsum("pc,pck->pk", share, self._shift[best])
        return np.where(share.min(axis=1, keepdims=True) < _ON_EDGE, 0.0, shift)


_CONTRADICTION = (
    "Two landmarks lie on one place but are asked to move differently, as on a closed eye; use a photo where the "
    "moved landmarks are apart, or choose other regions."
)


def largest_amount(build: Callable[[float], Warp], amount: float) -> float:
    """The largest share of `amount` for which `build` gives a warp within `STRAIN_LIMIT`, rounded down to 1 %."""
    low, high = 0, 100
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if build(amount * middle / 100).strain < STRAIN_LIMIT else (low, middle)
    return amount * low / 100


def _operator_norm(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Largest singular value of each 2x2 matrix [[a, b], [c, d]]."""
    return np.asarray((np.hypot(a + d, c - b) + np.hypot(a - d, c + b)) / 2)


def _shares(points: Array, triangles: Array) -> Array:
    """Barycentric coordinates (..., 3) of points (..., 2) in triangles (..., 3, 2)."""
    first = triangles[..., 0, :]
    others = np.einsum("...k,...kl->...l", points - first, _inverse(triangles[..., 1:, :] - first[..., None, :]))
    return np.concatenate([1 - others.sum(axis=-1, keepdims=True), others], axis=-1)


def _inverse(matrices: Array) -> Array:
    """Inverse of each 2x2 matrix (..., 2, 2), by hand: LAPACK wakes its threads for every one of them."""
    a, b, c, d = np.moveaxis(matrices.reshape(*matrices.shape[:-2], 4), -1, 0)
    adjugate = np.stack([d, -b, -c, a], axis=-1) / (a * d - b * c)[..., None]
    return np.asarray(adjugate.reshape(matrices.shape))
