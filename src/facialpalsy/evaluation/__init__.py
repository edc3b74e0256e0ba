"""Evaluation: how well raters, methods and repeats agree."""

from facialpalsy.evaluation.metrics import (
    BlandAltman,
    bland_altman,
    cohen_kappa,
    exact_agreement,
    icc,
    mdc95,
    sem,
    within_one,
)

__all__ = ["BlandAltman", "bland_altman", "cohen_kappa", "exact_agreement", "icc", "mdc95", "sem", "within_one"]
