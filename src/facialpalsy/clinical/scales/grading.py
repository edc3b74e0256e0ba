"""Grading: one exam's evidence on all four scales."""

from __future__ import annotations

from dataclasses import replace

from facialpalsy.clinical.evidence import ExamEvidence
from facialpalsy.clinical.scales.cases import resolve
from facialpalsy.clinical.scales.eface import estimate_eface
from facialpalsy.clinical.scales.fngs2 import estimate_fngs2
from facialpalsy.clinical.scales.house_brackmann import estimate_house_brackmann
from facialpalsy.clinical.scales.patterns import pattern_of
from facialpalsy.clinical.scales.reasons import reference_weaker, small_smile
from facialpalsy.clinical.scales.result import ScaleEstimate
from facialpalsy.clinical.scales.sunnybrook import estimate_sunnybrook


def grade(evidence: ExamEvidence) -> dict[str, ScaleEstimate]:
    """Software estimates of one exam by scale: `fngs2`, `house_brackmann`, `sunnybrook`, `eface`.

    Args:
        evidence: What the exam shows of the affected against the reference side, with the clinician's ratings.

    Returns:
        Per scale a number, an interval over what is not known, or the reason why there is neither.
    """
    cases = resolve(evidence)
    pattern = pattern_of(evidence, cases.best)
    estimates = (
        estimate_fngs2(evidence, cases),
        estimate_house_brackmann(evidence, cases, pattern),
        estimate_sunnybrook(evidence, cases),
        estimate_eface(evidence, cases),
    )
    remarks = [remark for remark in (reference_weaker(evidence), pattern, small_smile(evidence)) if remark is not None]
    return {estimate.name: replace(estimate, notes=(*remarks, *estimate.notes)) for estimate in estimates}
