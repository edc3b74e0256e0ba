"""Sensor: linear light as a file, blurred, exposed, noisy, in sRGB and compressed."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.synth.scene import Scene
from facialpalsy.synth.shade import blurred, expose


def develop(picture: NDArray[np.float32], scene: Scene) -> tuple[NDArray[np.uint8], bytes]:
    """The pixels (h, w, 3) of a picture (h, w, 3) in linear light, and their file: JPEG, or PNG without compression.

    A mirror image is the mirrored picture of the same sensor, as phones make it: compression is not mirror-symmetric.
    """
    height, width = picture.shape[:2]
    rng = np.random.default_rng(scene.seed)
    grain = rng.standard_normal((height, width), np.float32)
    tint = rng.standard_normal((height // 2, width // 2, 3), np.float32)
    seen = picture if scene.handed > 0 else np.ascontiguousarray(picture[:, ::-1])
    if scene.blur_px > 0:
        line = np.exp(-(np.arange(-2, 3) ** 2) / (2 * scene.blur_px**2))
        seen = blurred(seen, (line / line.sum()).astype(np.float32))
    image = Image.fromarray(expose(seen, grain, tint, scene.exposure, scene.noise, scene.grey))
    stored = io.BytesIO()
    if scene.jpeg:
        image.save(stored, "JPEG", quality=scene.jpeg)
        image = Image.open(stored)
    if scene.handed < 0:
        image, stored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), io.BytesIO()
    if not stored.getbuffer().nbytes:
        image.save(stored, "PNG", compress_level=1)
    return np.asarray(image), stored.getvalue()
