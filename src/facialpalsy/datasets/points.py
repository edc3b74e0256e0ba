"""Points: the points that a corpus brings with its pictures, as landmarks of a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.datasets import aflfp, ckplus, neuroface, synth_corpus
from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import LandmarkFileError
from facialpalsy.face import DENSE, IBUG68, Landmarks, Mirrored, face_frame, mirror_landmarks

ORIGIN: Mapping[str, str] = {
    "synth": "read exactly from the rendered face, as those that the engine own learned from",
    "ckplus": "placed by hand on some frames and followed through the others by an active appearance model",
    "neuroface": "placed by hand",
    "aflfp": "placed by hand",
}
"""Layout that brings points -> how they came to be."""

# Points further out belong to another picture; those of a cropped chin may lie just beyond the border.
_OUTSIDE_TOLERANCE = 0.1

# A file of many frames or pictures, whose samples follow one another, is read once.
_in_table = lru_cache(maxsize=1)(synth_corpus.points_of)
_in_clip = lru_cache(maxsize=1)(neuroface.points_of)


def read_points(sample: Sample, image_size: tuple[int, int]) -> Landmarks:
    """The points of a sample that has `landmarks`, each under the name of the subject's side.

    Args:
        sample: A picture or frame.
        image_size: Width and height in pixels, after EXIF orientation.

    Returns:
        Landmarks of the picture, un-mirrored where the sample is known to be mirrored: iBUG-68, or dense ones.

    Raises:
        CorpusError: the file is unreadable.
        LandmarkFileError: it has no points of this sample, or they belong to another picture or make no face.
        SwappedSidesError: left and right are exchanged.
    """
    points = None if sample.landmarks is None else _READERS[sample.corpus](sample.landmarks, sample)
    if points is None:
        raise LandmarkFileError(f"{sample.key!r} has no points; give the file that holds them.")
    landmarks = Landmarks(DENSE if len(points) == DENSE.size else IBUG68, points, image_size, edited=True)
    beyond = _OUTSIDE_TOLERANCE * np.array(image_size)
    if ((points < -beyond) | (points > image_size + beyond)).any():
        raise LandmarkFileError(
            f"Points of {sample.key!r} lie outside its picture of {image_size[0]} x {image_size[1]} pixels; "
            "give the picture that they were placed on."
        )
    if sample.mirrored is Mirrored.YES:
        landmarks = mirror_landmarks(landmarks)
    face_frame(landmarks)
    return landmarks


_READERS: Mapping[str, Callable[[Path, Sample], NDArray[np.float64] | None]] = {
    "synth": lambda file, sample: _in_table(file).get(sample.path),
    "ckplus": lambda file, _: ckplus.points_of(file),
    "neuroface": lambda file, sample: None if sample.frame is None else _in_clip(file).get(sample.frame),
    "aflfp": lambda file, _: aflfp.points_of(file),
}
