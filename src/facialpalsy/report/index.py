"""Index: one page that lists the results of many inputs side by side and links to their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from facialpalsy.assessment import NOTICE, Assessment, Failure
from facialpalsy.report.html import REPORT, overlay_name
from facialpalsy.report.page import environment
from facialpalsy.report.summary import against_limits, scales
from facialpalsy.writing import write_text


def write_index(
    path: Path, results: Mapping[str, Assessment], failures: Sequence[Failure], *, photos: bool = True
) -> None:
    """Write an overview of `results`, folder name below the page's own folder -> its assessment.

    The page refers to the overlays and reports in those folders; nothing outside them.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    entries = [
        {
            "name": name,
            "report": quote(f"{name}/{REPORT}"),
            "image": quote(f"{name}/{overlay_name(0, assessment.captures[0])}"),
            "exam": [one for one in (assessment.exam.subject, assessment.exam.date) if one],
            "captures": len(assessment.captures),
            "usable": sum(capture.quality.usable for capture in assessment.captures),
            "against_limits": against_limits(assessment),
            "scales": scales(assessment),
        }
        for name, assessment in results.items()
        if assessment.captures
    ]
    page = environment().get_template("index.html.j2")
    write_text(path, page.render(entries=entries, failures=failures, notice=NOTICE, photos=photos))
