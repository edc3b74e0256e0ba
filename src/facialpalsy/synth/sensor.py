"""Sensor: linear light as a file, exposed, noisy, in sRGB, blurred and compressed."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facialpalsy.synth.scene import Scene
from facialpalsy.synth.shade import expose


def develop(picture: NDArray[np.float32], scene: Scene) -> tuple[NDArray[np.uint8], bytes]:
    """The pixels (h, w, 3) of a picture (h, w, 3) in linear light, and their file: JPEG, or PNG without compression.

    A mirror image is the mirrored picture of the same sensor, as phones make it: compression is not mirror-symmetric.
    """
    height, width = picture.shape[:2]
    rng = np.random.default_rng(scene.seed)
    grain = rng.standard_normal((height, width), np.float32)
    tint = rng.standard_normal((height // 2, width // 2, 3), np.float32)
    seen = picture if scene.handed > 0 else np.ascontiguousarray(picture[:, ::-1])
    image = _blurred(expose(seen, grain, tint, scene.exposure, scene.noise, scene.grey), scene.blur_px)
    stored = io.BytesIO()
    if scene.jpeg:
        image.save(stored, "JPEG", quality=scene.jpeg)
        image = Image.open(stored)
    if scene.handed < 0:
        image, stored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), io.BytesIO()
    if not stored.getbuffer().nbytes:
        image.save(stored, "PNG", compress_level=1)
    return np.asarray(image), stored.getvalue()


def _blurred(pixels: NDArray[np.uint8], sigma: float) -> Image.Image:
    """A picture (h, w, 3) under a Gaussian on 5 x 5 pixels."""
    if sigma == 0:
        return Image.fromarray(pixels)
    height, width = pixels.shape[:2]
    # The filter leaves a border of two pixels as it is.
    framed = Image.fromarray(np.pad(pixels, ((2, 2), (2, 2), (0, 0)), mode="edge"))
    return framed.filter(_kernel(sigma)).crop((2, 2, width + 2, height + 2))


@lru_cache(maxsize=16)
def _kernel(sigma: float) -> ImageFilter.Kernel:
    line = np.exp(-(np.arange(-2, 3) ** 2) / (2 * sigma**2))
    return ImageFilter.Kernel((5, 5), np.outer(line, line).ravel().tolist())
