"""Measure: numbers from a face, in NumPy only."""

from facialpalsy.measure.eye import CLOSED_OPENNESS, openness
from facialpalsy.measure.geometry import FramedFace
from facialpalsy.measure.movement import MOVEMENT_FLOOR_IOD, MOVEMENTS, Movement, movements
from facialpalsy.measure.panel import DEFINITIONS, panel
from facialpalsy.measure.scale import IRIS_MM, Scale, iris_scale
from facialpalsy.measure.symmetry import OVERALL, REGIONS, Asymmetry, asymmetry
from facialpalsy.measure.types import Measure, Sides

__all__ = [
    "CLOSED_OPENNESS",
    "DEFINITIONS",
    "IRIS_MM",
    "MOVEMENTS",
    "MOVEMENT_FLOOR_IOD",
    "OVERALL",
    "REGIONS",
    "Asymmetry",
    "FramedFace",
    "Measure",
    "Movement",
    "Scale",
    "Sides",
    "asymmetry",
    "iris_scale",
    "movements",
    "openness",
    "panel",
]
