"""Landmark baseline: beats the majority on people it has not seen, mirrors, and says what it cannot use."""

import numpy as np
import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import UsageError
from facialpalsy.evaluation.exam_grade import ExamGrade, majority_baseline
from facialpalsy.evaluation.grading import grade_table, paired_difference
from facialpalsy.evaluation.landmark_baseline import Columns, LandmarkBaseline
from facialpalsy.face import MEDIAPIPE478, Side, mirror_landmarks

TRAINED = 30


@pytest.fixture(scope="module")
def baseline(patients):
    return fitted(patients.part(0, TRAINED))


def fitted(people):
    return LandmarkBaseline.fit(people.exams, people.grades, people.sides, people.subjects)


def mirrored(exams):
    return [{name: mirror_landmarks(points) for name, points in exam.items()} for exam in exams]


def test_it_beats_the_majority_on_people_it_has_not_seen(patients, baseline):
    train, test = patients.part(0, TRAINED), patients.part(TRAINED, 48)
    given, left = baseline.probabilities(test.exams), baseline.left(test.exams)
    rows = [
        ExamGrade(subject, "1", (), grade, side, tuple(probabilities), one)
        for subject, grade, side, probabilities, one in zip(
            test.subjects, test.grades, test.sides, given.tolist(), left.tolist(), strict=True
        )
    ]
    training = list(zip(train.grades, train.sides, strict=True))
    majority = majority_baseline(rows, training)
    assert paired_difference(rows, majority, "exact").lower > 0
    assert paired_difference(rows, majority, "rps").upper < 0
    figures = grade_table(rows, training).figures
    assert figures["kappa_quadratic"].lower > 0.5
    assert figures["side_3_to_6"].value > 0.9


def test_the_mirrored_exam_has_the_same_grade_and_the_other_side(patients, baseline):
    test = patients.part(TRAINED, 48).exams
    assert baseline.probabilities(mirrored(test)) == pytest.approx(baseline.probabilities(test), abs=1e-9)
    assert baseline.left(mirrored(test)) == pytest.approx(1 - baseline.left(test), abs=1e-9)


def test_mirrored_training_people_teach_the_same(patients, baseline):
    train, test = patients.part(0, TRAINED), patients.part(TRAINED, 48).exams
    sides = [None if side is None else side.other for side in train.sides]
    other = LandmarkBaseline.fit(mirrored(train.exams), train.grades, sides, train.subjects)
    assert other.probabilities(test) == pytest.approx(baseline.probabilities(test), abs=1e-3)
    assert other.left(test) == pytest.approx(baseline.left(test), abs=1e-3)


def test_the_same_people_teach_the_same_again(patients, baseline):
    again = fitted(patients.part(0, TRAINED))
    exams = patients.part(TRAINED, 48).exams
    assert (again.probabilities(exams) == baseline.probabilities(exams)).all()


def test_missing_photos_are_borne(patients, baseline):
    exam = patients.exams[-1]
    for kept in ({Expression.REST}, {Expression.REST, Expression.SMILE_OPEN}, {Expression.SMILE_OPEN}):
        part = {name: points for name, points in exam.items() if name in kept}
        given = baseline.probabilities([part])
        assert given.sum() == pytest.approx(1)
    # Without a rest photo nothing is measured, and nothing favours a side.
    assert baseline.left([part]) == pytest.approx([0.5])


def test_grades_that_nobody_had_are_not_given(patients):
    chosen = [number for number, grade in enumerate(patients.grades) if grade in (1, 4, 6)]
    few = LandmarkBaseline.fit(*([values[number] for number in chosen] for values in vars(patients).values()))
    given = few.probabilities(patients.exams[:5])
    assert (given[:, [1, 2, 4]] == 0).all()
    assert given.sum(1) == pytest.approx(np.ones(5))


def test_healthy_people_teach_no_side(patients):
    nobody = [None] * TRAINED
    people = patients.part(0, TRAINED)
    without = LandmarkBaseline.fit(people.exams, people.grades, nobody, people.subjects)
    assert without.side is None
    assert without.left(people.exams) is None


def test_columns_fill_what_is_missing_with_the_median_and_say_so():
    rows = [{"a": 1.0, "b": 5.0}, {"a": 2.0}, {"a": 6.0, "b": 9.0}]
    columns = Columns.of(rows, signed=False)
    assert columns.names == ("a", "b")
    assert columns.centre == pytest.approx([2, 7])
    table = columns.table([*rows, {"c": 3.0}])
    assert table[:, 2:].tolist() == [[0, 0], [0, 1], [0, 0], [1, 1]]
    # About the medians: -1, 0 and 4 of a, -2 and 2 of b, each over its root mean square.
    assert table[:, 0] == pytest.approx(np.array([-1, 0, 4, 0]) / np.sqrt(17 / 3))
    assert table[:, 1] == pytest.approx([-1, 0, 1, 0])


def test_signed_columns_keep_their_zero():
    columns = Columns.of([{"a": 1.0}, {"a": 3.0}], signed=True)
    assert columns.table([{"a": 1.0}, {"a": -1.0}, {}]) == pytest.approx(np.array([[1], [-1], [0]]) / np.sqrt(5))


def test_what_it_cannot_use_is_refused(patients, make_face, baseline):
    people = patients.part(0, 12)
    exams, grades, sides, subjects = vars(people).values()
    with pytest.raises(UsageError, match="one length"):
        LandmarkBaseline.fit(exams, grades[:-1], sides, subjects)
    with pytest.raises(UsageError, match="1 to 6"):
        LandmarkBaseline.fit(exams, [0, *grades[1:]], sides, subjects)
    with pytest.raises(UsageError, match="two people"):
        LandmarkBaseline.fit(exams, grades, sides, ["one"] * 12)
    with pytest.raises(UsageError, match="one grade"):
        LandmarkBaseline.fit(exams, [3] * 12, sides, subjects)
    with pytest.raises(UsageError, match="rest photo"):
        LandmarkBaseline.fit([{Expression.SNARL: exam[Expression.SNARL]} for exam in exams], grades, sides, subjects)
    other = {Expression.REST: make_face(MEDIAPIPE478)}
    with pytest.raises(UsageError, match="dense, mediapipe478"):
        LandmarkBaseline.fit([other, *exams[1:]], grades, sides, subjects)
    with pytest.raises(UsageError, match="fitted on landmarks of the scheme dense, not mediapipe478"):
        baseline.probabilities([other])
    assert {Side.LEFT, Side.RIGHT} <= set(sides)
