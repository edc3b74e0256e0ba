"""Drawn people, and a detector that knows how they were drawn and counts what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from facialpalsy.datasets.sample import Sample
from facialpalsy.detect import Detection, Engine
from facialpalsy.errors import NoFaceError
from facialpalsy.face import MEDIAPIPE478, Landmarks, Side, mirror_landmarks
from facialpalsy.preparation import Prepared, prepare, read_prepared

SIZE = 300


class DrawnDetector:
    """Finds an asymmetric face in pictures that are brighter on the left, its mirror image in others, none in black."""

    def __init__(self, face: Landmarks, name: str = "drawn") -> None:
        self.engine = Engine(name, "1", "0" * 64, "Apache-2.0", "nothing")
        self.asked = 0
        self._face = replace(face, engine=name)

    def detect(self, picture: np.ndarray) -> Detection:
        self.asked += 1
        left, right = picture[:, : SIZE // 2].mean(), picture[:, SIZE // 2 :].mean()
        if left + right < 10:
            raise NoFaceError("No face was found. Give one.")
        if left < right:
            return Detection(mirror_landmarks(self._face), (0, 0, SIZE, SIZE))
        return Detection(self._face, (0, 0, SIZE, SIZE), faces=2, warnings=("2 faces were found.",))

    def tracker(self) -> Any:
        raise AssertionError("frames are looked at one by one")


def drawn(level: int = 0) -> np.ndarray:
    """A ramp that falls to the right, of another colour for another level."""
    ramp = np.tile(np.linspace(200, 50, SIZE), (SIZE, 1))
    return np.stack([ramp, ramp / 2, np.full_like(ramp, 10 * level)], axis=-1).astype(np.uint8)


@pytest.fixture
def drawing() -> Callable[..., np.ndarray]:
    return drawn


@pytest.fixture
def drawn_face(make_face, move) -> Landmarks:
    return move(make_face(MEDIAPIPE478), "commissure", Side.LEFT, 0, 9)


@pytest.fixture
def detector(drawn_face) -> DrawnDetector:
    return DrawnDetector(drawn_face)


@pytest.fixture
def other_detector(drawn_face) -> DrawnDetector:
    return DrawnDetector(drawn_face, "other")


@pytest.fixture
def photo(tmp_path) -> Callable[..., Sample]:
    """Write a drawn photo and give its sample."""

    def make(name: str = "a.png", picture: np.ndarray | None = None, subject: str = "p1", **fields: Any) -> Sample:
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn() if picture is None else picture).save(path)
        return Sample("drawn", name, subject, path, **fields)

    return make


@pytest.fixture
def clip(tmp_path) -> Callable[..., Path]:
    """Write a clip of drawn frames, each of another level."""

    def make(name: str = "c.mp4", frames: int = 12) -> Path:
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=Fraction(30), options={"crf": "1"})
            stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
            for level in range(frames):
                for packet in stream.encode(av.VideoFrame.from_ndarray(drawn(level), format="rgb24")):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return path

    return make


@pytest.fixture
def prepared(tmp_path, detector) -> Callable[..., list[Prepared]]:
    """Prepare samples with the drawn detector and read the table."""

    def run(samples: Sequence[Sample], by: DrawnDetector = detector, **settings: Any) -> list[Prepared]:
        prepare(samples, tmp_path / "out", make_detector=lambda: by, **settings)
        return read_prepared(tmp_path / "out")

    return run
