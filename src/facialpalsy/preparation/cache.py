"""Cache: one record and its crops per picture content, found again by hash, each written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.detect import Engine
from facialpalsy.errors import LandmarkFileError
from facialpalsy.face import SCHEMES, Landmarks
from facialpalsy.preparation.quality import Quality
from facialpalsy.writing import atomic_path, make_folder, remove_partial, write_text

VERSION = 1
"""Raised whenever the same picture would give another crop or record."""

CROPS = "crops"


@dataclass(frozen=True)
class Crop:
    """One crop of a picture."""

    sha256: str
    quality: Quality


@dataclass(frozen=True)
class Record:
    """What is known of one picture.

    Attributes:
        landmarks: In the pixels of the picture, un-mirrored; None where no face was found.
        faces: How many faces were found.
        warnings: Whole sentences about picture and choice.
        crops: Side in pixels -> crop.
        failure: Name of the error, where there is no face.
        message: Its sentence.
    """

    landmarks: Landmarks | None
    faces: int = 0
    warnings: tuple[str, ...] = ()
    crops: Mapping[int, Crop] = field(default_factory=dict)
    failure: str | None = None
    message: str | None = None


def content_key(sha256: str, frame: int | None, unmirrored: bool, engine: Engine) -> str:
    """Name of what is made of one picture by one engine: equal for equal contents, wherever the file lies."""
    parts = (VERSION, sha256, frame, unmirrored, engine.name, engine.version, engine.sha256)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Cache:
    """The folder `crops` below `folder`."""

    folder: Path

    def remove_partial(self) -> None:
        """Remove what a killed process left half-written."""
        for path in (self.folder / CROPS).glob("[0-9a-f][0-9a-f]"):
            remove_partial(path)

    def crop_name(self, key: str, size: int) -> str:
        """Path of a crop below the folder, with forward slashes."""
        return f"{CROPS}/{key[:2]}/{key}_{size}.png"

    def read(self, key: str) -> Record | None:
        """The record with those of its crops that are whole; None where there is none or it is damaged."""
        try:
            data = json.loads(self._record_path(key).read_text("utf-8"))
            crops = {int(size): Crop(one["sha256"], Quality(**one["quality"])) for size, one in data["crops"].items()}
            landmarks = None if data["landmarks"] is None else _landmarks(**data["landmarks"])
            return Record(
                landmarks,
                data["faces"],
                tuple(data["warnings"]),
                {size: crop for size, crop in crops.items() if self._is_whole(key, size, crop)},
                data["failure"],
                data["message"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, LandmarkFileError):
            return None

    def write(self, key: str, record: Record) -> None:
        """Write the record; its crops have been written before."""
        landmarks = record.landmarks
        data = {
            "faces": record.faces,
            "warnings": record.warnings,
            "failure": record.failure,
            "message": record.message,
            "crops": {size: asdict(crop) for size, crop in record.crops.items()},
            "landmarks": None
            if landmarks is None
            else {
                "scheme": landmarks.scheme.name,
                "engine": landmarks.engine,
                "image_size": landmarks.image_size,
                "points": landmarks.points.tolist(),
            },
        }
        path = self._record_path(key)
        make_folder(path.parent)
        write_text(path, json.dumps(data))

    def write_crop(self, key: str, crop: NDArray[np.uint8], quality: Quality) -> Crop:
        """Write a (size, size, 3) crop as PNG without any metadata."""
        buffer = io.BytesIO()
        Image.fromarray(crop).save(buffer, "PNG")
        path = self.folder / self.crop_name(key, len(crop))
        make_folder(path.parent)
        with atomic_path(path) as temporary:
            temporary.write_bytes(buffer.getvalue())
        return Crop(hashlib.sha256(buffer.getvalue()).hexdigest(), quality)

    def _record_path(self, key: str) -> Path:
        return self.folder / CROPS / key[:2] / f"{key}.json"

    def _is_whole(self, key: str, size: int, crop: Crop) -> bool:
        try:
            data = (self.folder / self.crop_name(key, size)).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == crop.sha256


def _landmarks(scheme: str, engine: str, image_size: list[int], points: list[list[float]]) -> Landmarks:
    width, height = image_size
    return Landmarks(SCHEMES[scheme], np.array(points), (width, height), engine=engine)
