"""Weights: models and data that come with the package or are installed beside it, verified before they are used."""

from facialpalsy.weights.catalogue import ASSETS, Asset, find_entry
from facialpalsy.weights.model_card import ModelCard, Preprocessing
from facialpalsy.weights.shipped import (
    EYE_LANDMARKER,
    FACE_FINDER,
    GRADER,
    LANDMARKER,
    MOUTH_LANDMARKER,
    OF_EXAMS,
    POINTS,
    RECOGNISER,
    REGIONS,
    SHIPPED,
    ShippedModel,
    find_card,
    open_model,
)
from facialpalsy.weights.store import Installed, find_asset, install_copy, install_file, status

__all__ = [
    "ASSETS",
    "EYE_LANDMARKER",
    "FACE_FINDER",
    "GRADER",
    "LANDMARKER",
    "MOUTH_LANDMARKER",
    "OF_EXAMS",
    "POINTS",
    "RECOGNISER",
    "REGIONS",
    "SHIPPED",
    "Asset",
    "Installed",
    "ModelCard",
    "Preprocessing",
    "ShippedModel",
    "find_asset",
    "find_card",
    "find_entry",
    "install_copy",
    "install_file",
    "open_model",
    "status",
]
