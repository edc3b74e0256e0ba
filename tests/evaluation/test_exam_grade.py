"""Exam grade: what is refused, and what the two baselines say."""

import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.exam_grade import ExamGrade, identity_baseline, majority_baseline
from facialpalsy.face import Side

EVEN = (1 / 6,) * 6


def test_the_most_probable_grade_and_of_equal_ones_the_lowest():
    assert ExamGrade("a", "1", (), 3, None, (0, 0.1, 0.2, 0.4, 0.2, 0.1)).predicted == 4
    assert ExamGrade("a", "1", (), 3, None, EVEN).predicted == 1
    assert ExamGrade("a", "1", (), 3, None, None, withheld="one photo").predicted is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grade": 0}, "allowed are 1 to 6"),
        ({"grade": 7}, "allowed are 1 to 6"),
        ({"probabilities": None}, "or the reason"),
        ({"withheld": "one photo"}, "or the reason"),
        ({"probabilities": (0.5, 0.5)}, "six that sum to 1"),
        ({"probabilities": (0.5,) * 6}, "six that sum to 1"),
        ({"probabilities": (float("nan"),) * 6}, "six that sum to 1"),
        ({"left": 1.5}, "allowed are 0 to 1"),
    ],
)
def test_what_is_no_grade_is_refused(changes, words):
    right = {"subject": "a", "exam": "1", "photos": (), "grade": 3, "side": None, "probabilities": EVEN}
    with pytest.raises(UsageError, match=words):
        ExamGrade(**{**right, **changes})


def test_the_majority_says_what_training_was_mostly(exam_grade):
    exams = [exam_grade("a", "1", 2, 2), exam_grade("b", "1", 5, None)]
    training = [(3, Side.LEFT), (3, Side.LEFT), (5, Side.RIGHT), (1, None)]
    named, withheld = majority_baseline(exams, training)
    assert named.probabilities == (0.25, 0, 0.5, 0, 0.25, 0)
    assert (named.grade, named.predicted, named.left) == (2, 3, pytest.approx(2 / 3))
    assert withheld is exams[1]
    assert majority_baseline(exams, [(1, None)])[0].left is None
    for training in ([], [(0, None)]):
        with pytest.raises(UsageError, match="1 to 6"):
            majority_baseline(exams, training)


def test_identity_says_what_the_person_had_in_other_exams(exam_grade):
    exams = [
        exam_grade("a", "1", 2, 1, Side.LEFT),
        exam_grade("a", "2", 3, 1, Side.LEFT),
        exam_grade("a", "3", 3, 1),
        exam_grade("b", "1", 6, 6),
        exam_grade("a", "4", 6, None),
    ]
    first, second, _, alone, withheld = identity_baseline(exams)
    # Grades 3, 3 and 6 of the others; of those with a side, one, it is left.
    assert first.probabilities == (0, 0, pytest.approx(2 / 3), 0, 0, pytest.approx(1 / 3))
    assert first.left == second.left == 1
    assert (alone.probabilities, alone.withheld) == (None, "the person has no other exam")
    assert withheld is exams[4]


def test_photos_of_one_exam_are_no_other_exam(exam_grade):
    photos = [exam_grade("a", "1", 2, 1, photos=(name,)) for name in ("rest", "smile")]
    assert all(one.withheld for one in identity_baseline(photos))
