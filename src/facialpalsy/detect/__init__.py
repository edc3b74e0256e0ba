"""Detect: finding the face; every engine's result becomes Landmarks at this door."""

from facialpalsy.detect.base import Detection, Detector, Engine, Tracker
from facialpalsy.detect.landmark_file import LANDMARK_SUFFIXES, is_handmade, read_landmarks, write_landmarks
from facialpalsy.detect.mediapipe import MediaPipeDetector, mediapipe_engine

__all__ = [
    "LANDMARK_SUFFIXES",
    "Detection",
    "Detector",
    "Engine",
    "MediaPipeDetector",
    "Tracker",
    "is_handmade",
    "mediapipe_engine",
    "read_landmarks",
    "write_landmarks",
]
