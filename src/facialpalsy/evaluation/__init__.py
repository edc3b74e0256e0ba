"""Evaluation: how well raters, methods and repeats agree, and how well a method grades, with intervals by person."""

from facialpalsy.evaluation.bootstrap import Estimate, bootstrap_rows, bootstrap_sums
from facialpalsy.evaluation.exam_grade import ExamGrade, identity_baseline, majority_baseline
from facialpalsy.evaluation.figures import FIGURES
from facialpalsy.evaluation.grading import GradeTable, grade_table, paired_difference
from facialpalsy.evaluation.landmark_baseline import LandmarkBaseline
from facialpalsy.evaluation.metrics import (
    BlandAltman,
    balanced_accuracy,
    bland_altman,
    cohen_kappa,
    exact_agreement,
    icc,
    macro_f1,
    mdc95,
    mean_absolute_error,
    sem,
    within_one,
)
from facialpalsy.evaluation.printing import csv_rows, markdown, words

__all__ = [
    "FIGURES",
    "BlandAltman",
    "Estimate",
    "ExamGrade",
    "GradeTable",
    "LandmarkBaseline",
    "balanced_accuracy",
    "bland_altman",
    "bootstrap_rows",
    "bootstrap_sums",
    "cohen_kappa",
    "csv_rows",
    "exact_agreement",
    "grade_table",
    "icc",
    "identity_baseline",
    "macro_f1",
    "majority_baseline",
    "markdown",
    "mdc95",
    "mean_absolute_error",
    "paired_difference",
    "sem",
    "within_one",
    "words",
]
