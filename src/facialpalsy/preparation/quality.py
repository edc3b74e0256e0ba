"""Quality: what can be said of a crop without judging it; nothing is discarded for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face import Landmarks

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Quality:
    """Numbers of one crop, over the pixels that lie inside the picture; None where no such pixel is.

    Attributes:
        laplacian_variance: Variance of the Laplacian of the grey crop: small for a blurred or enlarged face
            (Pech-Pacheco et al. 2000, ICPR 15:314).
        brightness: Mean grey level, 0 to 255.
        outside: Share of the crop that lies beyond the picture and is black.
    """

    laplacian_variance: float | None
    brightness: float | None
    outside: float


def crop_quality(crop: NDArray[np.uint8], source: Landmarks, cropped: Landmarks) -> Quality:
    """Quality of a (size, size, 3) crop, from the same landmarks in the picture and in the crop."""
    inside = _inside(source, cropped)
    grey = crop @ np.array(_LUMA)
    laplacian = sum(_neighbours(grey)) - 4 * grey[1:-1, 1:-1]
    known = inside[1:-1, 1:-1] & np.all(_neighbours(inside), axis=0)
    return Quality(
        laplacian_variance=float(laplacian[known].var()) if known.any() else None,
        brightness=float(grey[inside].mean()) if inside.any() else None,
        outside=float(1 - inside.mean()),
    )


def _inside(source: Landmarks, cropped: Landmarks) -> NDArray[np.bool_]:
    """(size, size) whether the centre of each pixel of the crop lies in the picture."""
    known = np.column_stack([cropped.points, np.ones(len(cropped.points))])
    backward, *_ = np.linalg.lstsq(known, source.points, rcond=None)
    centres = np.arange(cropped.image_size[0]) + 0.5
    x, y = np.meshgrid(centres, centres)
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ backward
    return np.asarray(((places >= 0) & (places <= source.image_size)).all(axis=-1))


def _neighbours(values: NDArray[Any]) -> list[NDArray[Any]]:
    """The four neighbours of every inner value."""
    return [values[:-2, 1:-1], values[2:, 1:-1], values[1:-1, :-2], values[1:-1, 2:]]
