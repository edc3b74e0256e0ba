"""Work: what one process does with the samples of one photo or clip."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facialpalsy.datasets.sample import Sample
from facialpalsy.detect import Detector
from facialpalsy.errors import FacialPalsyError, InputNotFoundError, OutputError
from facialpalsy.face import Landmarks, Mirrored, align, face_frame, head_pose, mirror_picture
from facialpalsy.face.alignment import CROP_CANTHUS_DISTANCE, CROP_ORIGIN
from facialpalsy.media import file_sha256, read_frames, read_photo
from facialpalsy.preparation.cache import Cache, Record, content_key
from facialpalsy.preparation.prepared import Prepared
from facialpalsy.preparation.quality import crop_quality

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Work:
    """What a process does with the samples of one file."""

    cache: Cache
    sizes: tuple[int, ...]
    make_detector: Callable[[], Detector]

    def __call__(self, samples: list[Sample]) -> list[Prepared]:
        """One row per sample, in their order; the file is decoded once, and only where something is to be made."""
        path = samples[0].path
        try:
            sha256 = file_sha256(path)
        except FacialPalsyError as error:
            return [_failed(sample, error) for sample in samples]
        rows: dict[int, Prepared] = {}
        waiting: dict[int | None, list[int]] = {}
        for position, sample in enumerate(samples):
            record = self.cache.read(self._key(sample, sha256))
            if record is not None and self._is_complete(record):
                rows[position] = self._row(sample, sha256, record)
            else:
                waiting.setdefault(sample.frame, []).append(position)
        try:
            for shot in _shots(path, waiting):
                for position in waiting.pop(shot.frame):
                    rows[position] = self._prepared(samples[position], sha256, shot)
        except OutputError:
            raise  # no sample could be kept
        except FacialPalsyError as error:
            for position in (position for positions in waiting.values() for position in positions):
                rows[position] = _failed(samples[position], error, sha256)
        return [rows[position] for position in range(len(samples))]

    def _prepared(self, sample: Sample, sha256: str, shot: _Shot) -> Prepared:
        key = self._key(sample, sha256)
        try:
            record = self._made(key, self.cache.read(key), sample.mirrored is Mirrored.YES, shot)
        except FacialPalsyError as error:
            if isinstance(error, OutputError):
                raise
            record = Record(None, warnings=shot.notes, failure=type(error).__name__, message=str(error))
        except Exception as error:  # noqa: BLE001  one sample never stops the others
            return _failed(sample, error, sha256)
        self.cache.write(key, record)
        return self._row(sample, sha256, record)

    def _made(self, key: str, kept: Record | None, unmirror: bool, shot: _Shot) -> Record:
        """The record of one picture with all crops; what is `kept` of it is not made again."""
        if kept is not None and self._is_complete(kept):
            return kept
        picture = mirror_picture(shot.picture) if unmirror else shot.picture
        if kept is None or kept.landmarks is None:
            detection = self._detector.detect(picture)
            landmarks = detection.landmarks.single(detection.landmarks.points)
            kept = Record(landmarks, detection.faces, (*detection.warnings, *shot.notes))
        else:
            landmarks = kept.landmarks
        crops = dict(kept.crops)
        for size in self.sizes:
            if size not in crops:
                crop, cropped = align(picture, landmarks, size)
                crops[size] = self.cache.write_crop(key, crop, crop_quality(crop, landmarks, cropped))
        return replace(kept, crops=crops)

    def _row(self, sample: Sample, sha256: str, record: Record) -> Prepared:
        found = {"faces": record.faces, "warnings": record.warnings, "failure": record.failure}
        row = Prepared.of(sample, sha256=sha256, engine=self._detector.engine.name, message=record.message, **found)
        if record.landmarks is None:
            return row
        key, first = self._key(sample, sha256), self.sizes[0]
        return replace(
            row,
            crops={size: self.cache.folder / self.cache.crop_name(key, size) for size in self.sizes},
            scheme=record.landmarks.scheme.name,
            points=crop_points(record.landmarks, first).astype(np.float32),
            points_size=first,
            pose=head_pose(record.landmarks),
            face_width_px=float(np.ptp(record.landmarks.points, axis=0)[0]),
            quality=record.crops[first].quality,
        )

    def _key(self, sample: Sample, sha256: str) -> str:
        return content_key(sha256, sample.frame, sample.mirrored is Mirrored.YES, self._detector.engine)

    def _is_complete(self, record: Record) -> bool:
        return record.failure is not None or set(self.sizes) <= record.crops.keys()

    @property
    def _detector(self) -> Detector:
        return _detector_of_process(self.make_detector)


@dataclass(frozen=True, eq=False)
class _Shot:
    """A photo (frame None) or one frame, with notes on how it was read."""

    frame: int | None
    picture: Picture
    notes: tuple[str, ...] = ()


def crop_points(landmarks: Landmarks, size: int) -> NDArray[np.float64]:
    """(n, 2) landmarks in the pixels of the crop that `face.align` cuts out of their picture."""
    in_frame = face_frame(landmarks).to_frame(landmarks.points)
    return np.asarray(size * (CROP_CANTHUS_DISTANCE * in_frame + np.array(CROP_ORIGIN)))


def _shots(path: Path, frames: Collection[int | None]) -> Iterator[_Shot]:
    """The photo, or the wanted frames of the clip in order, decoded once and no further than the last of them."""
    wanted = {frame for frame in frames if frame is not None}
    if None in frames:
        photo = read_photo(path)
        yield _Shot(None, photo.pixels, photo.notes)
    if not wanted:
        return
    last, count = max(wanted), 0
    for frame in read_frames(path):
        count += 1
        if frame.index in wanted:
            yield _Shot(frame.index, frame.pixels)
        if frame.index >= last:
            return
    raise InputNotFoundError(
        f"Frame {last} of {path.name!r} was asked for, but the clip has {count} frames, counted from 0. Correct the "
        "labels, or copy the clip again."
    )


@cache
def _detector_of_process(make: Callable[[], Detector]) -> Detector:
    return make()


def died(samples: list[Sample]) -> list[Prepared]:
    """Rows of samples that cost their process its life."""
    message = "The process that worked on it died, mostly for lack of memory: make the picture or clip smaller."
    return [Prepared.of(sample, failure="BrokenProcessPool", message=message) for sample in samples]


def _failed(sample: Sample, error: Exception, sha256: str | None = None) -> Prepared:
    message = str(error)
    if not isinstance(error, FacialPalsyError):
        message = f"This is a fault of facialpalsy, not of the input ({error}); please report it with the input's kind."
    return Prepared.of(sample, sha256=sha256, failure=type(error).__name__, message=message)
