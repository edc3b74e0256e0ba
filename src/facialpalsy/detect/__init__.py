"""Detect: finding the face; every engine's result becomes Landmarks at this door."""

from facialpalsy.detect.base import Detection, Detector, Engine, Tracker
from facialpalsy.detect.dlib_points import DlibDetector, dlib_engine
from facialpalsy.detect.engines import (
    DEFAULT_ENGINE,
    ENGINES,
    check_installed,
    detector_class,
    find_engine,
    installed_engines,
    open_detector,
)
from facialpalsy.detect.face_landmarker import FaceLandmarkerDetector, face_landmarker_engine
from facialpalsy.detect.landmark_file import LANDMARK_SUFFIXES, is_handmade, read_landmarks, write_landmarks
from facialpalsy.detect.mediapipe import MediaPipeDetector, mediapipe_engine
from facialpalsy.detect.own import NAME as OWN
from facialpalsy.detect.own import OwnDetector, own_engine

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "LANDMARK_SUFFIXES",
    "OWN",
    "Detection",
    "Detector",
    "DlibDetector",
    "Engine",
    "FaceLandmarkerDetector",
    "MediaPipeDetector",
    "OwnDetector",
    "Tracker",
    "check_installed",
    "detector_class",
    "dlib_engine",
    "face_landmarker_engine",
    "find_engine",
    "installed_engines",
    "is_handmade",
    "mediapipe_engine",
    "open_detector",
    "own_engine",
    "read_landmarks",
    "write_landmarks",
]
