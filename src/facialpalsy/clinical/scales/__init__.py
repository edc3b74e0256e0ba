"""Scales: software estimates on the published grading scales, as pure functions of an exam's evidence."""

from facialpalsy.clinical.scales.grading import grade
from facialpalsy.clinical.scales.items import ITEMS, WHOLE_SCALES
from facialpalsy.clinical.scales.result import Item, ScaleEstimate

__all__ = ["ITEMS", "WHOLE_SCALES", "Item", "ScaleEstimate", "grade"]
