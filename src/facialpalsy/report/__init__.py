"""Report: an assessment, and the pictures handed to it, as page, overlays, figures and tables."""

from facialpalsy.report.figures import bars, grade_bars, movement_bars
from facialpalsy.report.html import REPORT, overlay_name, render, write_report
from facialpalsy.report.index import write_index
from facialpalsy.report.overlay import overlay
from facialpalsy.report.tables import (
    MEASURE_COLUMNS,
    capture_rows,
    measure_rows,
    measures_rows,
    write_csv,
    write_exams_csv,
    write_measures_csv,
)

__all__ = [
    "MEASURE_COLUMNS",
    "REPORT",
    "bars",
    "capture_rows",
    "grade_bars",
    "measure_rows",
    "measures_rows",
    "movement_bars",
    "overlay",
    "overlay_name",
    "render",
    "write_csv",
    "write_exams_csv",
    "write_index",
    "write_measures_csv",
    "write_report",
]
