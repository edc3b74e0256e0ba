"""Graded exams by hand, and the landmarks of synthetic patients."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.evaluation.exam_grade import ExamGrade
from facialpalsy.evaluation.landmark_features import Exam
from facialpalsy.face import Side


def graded_exam(subject, exam, grade, predicted, side=None, left=None, sure=1.0, photos=None) -> ExamGrade:
    """An exam whose predicted grade has the probability `sure`, the others sharing the rest; withheld for None."""
    photos = (f"{exam}/rest", f"{exam}/smile") if photos is None else photos
    if predicted is None:
        return ExamGrade(subject, exam, photos, grade, side, None, None, "one photo is no exam")
    probabilities = tuple(sure if one == predicted else (1 - sure) / 5 for one in range(1, 7))
    return ExamGrade(subject, exam, photos, grade, side, probabilities, left)


@dataclass(frozen=True)
class Patients:
    """Exams of synthetic people, seen from the front, with small errors of the points."""

    exams: list[Exam]
    grades: list[int]
    sides: list[Side | None]
    subjects: list[str]

    def part(self, start: int, stop: int) -> "Patients":
        return Patients(
            self.exams[start:stop], self.grades[start:stop], self.sides[start:stop], self.subjects[start:stop]
        )


@pytest.fixture(scope="session")
def exam_grade() -> Callable[..., ExamGrade]:
    return graded_exam


@pytest.fixture(scope="session")
def patients() -> Patients:
    """Forty-eight people of setting a, eight of each grade in random order; skipped without the face model."""
    pytest.importorskip("numba")
    from facialpalsy.synth.face_model import face_model
    from facialpalsy.synth.frontal import frontal_landmarks
    from facialpalsy.synth.patient import draw_take, pose_face
    from facialpalsy.synth.population import draw_patients
    from facialpalsy.synth.truth import exam_truth

    try:
        model = face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
    people = list(draw_patients(48, 5, "a"))
    rng = np.random.default_rng(5)
    exams = []
    for person in people:
        exam = {}
        for expression in Expression:
            exact = frontal_landmarks(pose_face(model, person, draw_take(person, expression, 0)).vertices)
            # About 0.3 % of the outer-canthus distance.
            exam[expression] = exact.single(exact.points + rng.normal(0, 3, exact.points.shape))
        exams.append(exam)
    return Patients(
        exams,
        [exam_truth(model, person).grade for person in people],
        [person.palsy.side for person in people],
        [person.subject for person in people],
    )
