"""Background: what is seen behind a person."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facialpalsy.synth.scene import Scene

Floats = NDArray[np.float32]


def background_of(scene: Scene, size: int) -> Floats:
    """(size, size, 3) linear RGB, not to be written to; it is kept for the next picture of the session."""
    colours = tuple(scene.background_colours.ravel().tolist())
    return _background(scene.background, scene.background_seed, scene.handed, colours, size)


@lru_cache(maxsize=4)
def _background(kind: str, seed: int, handed: int, colours: tuple[float, ...], size: int) -> Floats:
    rng = np.random.default_rng(seed)
    one, other = np.array(colours).reshape(2, 3)
    down, across = np.mgrid[0:size, 0:size] / size
    if kind == "plain":
        share = 0.08 * across
    elif kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        share = 0.5 + 0.5 * (np.cos(angle) * (across - 0.5) + np.sin(angle) * (down - 0.5))
    elif kind == "wall":
        share = 0.12 * across + 0.03 * _texture(rng, 96, size) + 0.05 * _texture(rng, 4, size)
    elif kind == "room":
        share = _furniture(rng, size)
    else:
        share = (0.5 + 0.35 * _texture(rng, 9, size) + 0.2 * _texture(rng, 24, size)).clip(0, 1)
    picture = one * (1 - share[..., None]) + other * share[..., None]
    if handed < 0:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture.clip(0.002, 1), np.float32)


def _texture(rng: np.random.Generator, cells: int, size: int) -> NDArray[np.float64]:
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC), np.float64)


def _furniture(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    canvas = np.full((size, size), rng.random() * 255, np.float32)
    for _ in range(int(rng.integers(4, 10))):
        x, y = rng.integers(-40, size, 2)
        w, h = rng.integers(20, 160, 2)
        canvas[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = rng.random() * 255
    soft = Image.fromarray(canvas.astype(np.uint8)).filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 7))))
    return np.asarray(soft, np.float64) / 255
