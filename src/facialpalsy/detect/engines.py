"""Engines: every landmark engine that can be asked for, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facialpalsy.detect.base import Detector, Engine
from facialpalsy.detect.dlib_points import ASSET as DLIB_68
from facialpalsy.detect.dlib_points import DlibDetector, dlib_engine
from facialpalsy.detect.dlib_points import check_library as check_dlib
from facialpalsy.detect.face_landmarker import ASSET as FACE_LANDMARKER
from facialpalsy.detect.face_landmarker import FaceLandmarkerDetector, face_landmarker_engine
from facialpalsy.detect.mediapipe import MediaPipeDetector, mediapipe_engine
from facialpalsy.detect.mediapipe import check_library as check_mediapipe
from facialpalsy.detect.own import NAME as OWN
from facialpalsy.detect.own import OwnDetector, own_engine
from facialpalsy.errors import AssetHashError, AssetNotInstalledError, UsageError, did_you_mean
from facialpalsy.weights import find_asset


@dataclass(frozen=True)
class _Entry:
    """How an engine is identified and opened, and the asset and the library that it needs, if any."""

    engine: Callable[[], Engine]
    detector: Callable[[], Detector]
    asset: str | None = None
    check_library: Callable[[], None] | None = None


_ENTRIES: Mapping[str, _Entry] = {
    OWN: _Entry(own_engine, OwnDetector),
    "mediapipe": _Entry(mediapipe_engine, MediaPipeDetector, None, check_mediapipe),
    "face-landmarker": _Entry(face_landmarker_engine, FaceLandmarkerDetector, FACE_LANDMARKER, check_mediapipe),
    "dlib": _Entry(dlib_engine, DlibDetector, DLIB_68, check_dlib),
}

ENGINES = tuple(_ENTRIES)
"""Names of the engines; the first is the default."""

DEFAULT_ENGINE = ENGINES[0]


def find_engine(name: str) -> Engine:
    """Identity of the engine `name`, whether or not it is installed.

    Raises:
        UsageError: there is none.
    """
    if name not in _ENTRIES:
        raise UsageError(f"Unknown landmark engine {name!r}. {did_you_mean(name, ENGINES)}")
    return _ENTRIES[name].engine()


def check_installed(name: str) -> None:
    """Nothing where the engine `name` can be opened.

    Raises:
        UsageError: there is no such engine.
        AssetNotInstalledError: what it needs is not installed.
        AssetHashError: what it needs is damaged.
    """
    find_engine(name)
    if (check := _ENTRIES[name].check_library) is not None:
        check()
    if (asset := _ENTRIES[name].asset) is not None:
        find_asset(asset)


def installed_engines() -> list[Engine]:
    """Identities of the engines that can be opened."""
    found = []
    for name in ENGINES:
        try:
            check_installed(name)
        except (AssetNotInstalledError, AssetHashError):
            continue
        found.append(find_engine(name))
    return found


def open_detector(name: str) -> Detector:
    """A new detector with the engine `name`.

    Raises:
        UsageError: there is no such engine.
        AssetNotInstalledError: what it needs is not installed.
        AssetHashError: what it needs is damaged.
    """
    return detector_class(name)()


def detector_class(name: str) -> Callable[[], Detector]:
    """What makes a detector with the engine `name`, in this process or another.

    Raises:
        UsageError: there is no such engine.
        AssetNotInstalledError: what it needs is not installed.
        AssetHashError: what it needs is damaged.
    """
    check_installed(name)
    return _ENTRIES[name].detector
