"""Grading: six exams of four people worked out by hand, the mirror law, photos, and differences of two methods."""

from dataclasses import replace

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.exam_grade import ExamGrade
from facialpalsy.evaluation.figures import FIGURES
from facialpalsy.evaluation.grading import grade_table, paired_difference
from facialpalsy.face import Side

TRAINING = [(3, Side.LEFT), (3, Side.LEFT), (5, Side.RIGHT)]


@pytest.fixture
def exams(exam_grade):
    return [
        exam_grade("a", "1", 1, 1),
        exam_grade("a", "2", 2, 1, Side.LEFT, 0.9),
        exam_grade("b", "1", 2, 3, Side.RIGHT, 0.2),
        exam_grade("c", "1", 3, 3, Side.LEFT, 0.6),
        exam_grade("d", "1", 5, 4, Side.RIGHT, 0.7),
        exam_grade("d", "2", 6, 6, Side.RIGHT, 0.1),
    ]


def many(exam_grade, seed=0, people=120, right=0.6):
    """One exam of each of many people; the share `right` is graded exactly and the others one grade off."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(people):
        grade = int(rng.integers(1, 7))
        off = 0 if rng.uniform() < right else (1 if grade < 6 else -1)
        side = None if grade == 1 else Side.LEFT if rng.uniform() < 0.5 else Side.RIGHT
        left = None if side is None else float(np.clip(0.5 + 0.3 * side.sign + rng.normal(0, 0.2), 0, 1))
        found.append(exam_grade(f"p{number}", "1", grade, grade + off, side, left, sure=0.7))
    return found


def test_the_table_by_hand(exams):
    table = grade_table(exams, TRAINING)
    assert (table.people, table.exams, table.photos, table.graded) == (4, 6, 12, 6)
    assert table.absent == (4,)
    assert table.confusion[1].tolist() == [1, 0, 1, 0, 0, 0]
    expected = {
        "exact": 3 / 6,
        "within_one": 1,
        "exact_3_to_6": 2 / 3,
        "grade_1_against_2": (1 + 1 / 2) / 2,
        "grade_2_recognised": 1 / 2,
        "grade_1_recognised": 1,
        "kappa": 13 / 31,
        "kappa_quadratic": 34 / 37,
        "balanced_accuracy": (1 + 0 + 1 + 0 + 1) / 5,
        "macro_f1": (2 / 3 + 0 + 2 / 3 + 0 + 0 + 1) / 6,
        "mae": 3 / 6,
        # Of c, d and d: for one of the exams of d the left side is named.
        "side_3_to_6": 2 / 3,
        # Three are quite wrong by one grade: one of five cuts each.
        "rps": 3 * (1 / 5) / 6,
        "brier": 3 * 2 / 6,
        "ece": 3 / 6,
    }
    assert {name: one.value for name, one in table.figures.items()} == pytest.approx(expected)
    assert expected.keys() == FIGURES.keys()
    resting_on = {name: (one.rows, one.people) for name, one in table.figures.items()}
    assert resting_on["exact"] == (6, 4)
    assert resting_on["grade_1_against_2"] == (3, 2)
    assert resting_on["grade_1_recognised"] == (1, 1)
    assert resting_on["grade_2_recognised"] == (2, 2)
    assert resting_on["side_3_to_6"] == (3, 2)


def test_the_baselines_by_hand(exams):
    table = grade_table(exams, TRAINING)
    # Always III and left: exact for c; within one for a2, b and c; the side of c, not of d and d.
    majority = {name: table.majority[name].value for name in ("exact", "within_one", "side_3_to_6")}
    assert majority == pytest.approx({"exact": 1 / 6, "within_one": 3 / 6, "side_3_to_6": 1 / 3})
    # Only a and d have another exam, whose grade is one off and whose side is the same.
    identity = table.identity
    assert (identity["exact"].value, identity["within_one"].value) == (0, 1)
    assert (identity["exact"].rows, identity["exact"].people) == (4, 2)
    assert (identity["side_3_to_6"].value, identity["side_3_to_6"].rows) == (1, 2)
    assert grade_table(exams).majority is None


def test_what_is_not_defined_says_why(exam_grade):
    table = grade_table([exam_grade("a", "1", 1, 1), exam_grade("b", "1", 1, 1)], TRAINING)
    reasons = {name: one.reason for name, one in table.figures.items() if one.value is None}
    assert reasons.keys() == {
        "exact_3_to_6", "grade_1_against_2", "grade_2_recognised", "kappa", "kappa_quadratic", "side_3_to_6"
    }  # fmt: skip
    assert "III to VI" in reasons["exact_3_to_6"]
    assert "one and the same grade" in reasons["kappa"]
    assert all(one.reason == "the person has no other exam" for one in table.identity.values())


def test_what_is_withheld_counts_for_nothing_but_is_counted(exams, exam_grade):
    more = [*exams, exam_grade("e", "1", 4, None), exam_grade("f", "1", 4, None)]
    table, before = grade_table(more, TRAINING), grade_table(exams, TRAINING)
    assert (table.people, table.exams, table.graded) == (6, 8, 6)
    assert table.withheld == {"one photo is no exam": 2}
    assert table.figures == before.figures
    assert table.majority == before.majority
    nothing = grade_table(more[-2:], TRAINING)
    assert nothing.figures["exact"].value is None
    assert nothing.figures["exact"].reason == nothing.majority["exact"].reason == "one photo is no exam"


def test_the_mirrored_exams_have_the_same_table(exam_grade):
    exams = many(exam_grade)
    mirrored = [
        replace(one, side=one.side and one.side.other, left=None if one.left is None else 1 - one.left) for one in exams
    ]
    training = [(one.grade, one.side) for one in exams]
    flipped = [(grade, side and side.other) for grade, side in training]
    assert grade_table(mirrored, flipped).figures == grade_table(exams, training).figures


def test_an_undecided_side_is_not_right(exam_grade):
    exams = [exam_grade(name, "1", 5, 5, side, 0.5) for name, side in (("a", Side.LEFT), ("b", Side.RIGHT))]
    assert grade_table(exams).figures["side_3_to_6"].value == 0


def test_photos_of_a_person_are_one_piece_of_evidence(exam_grade):
    exams = many(exam_grade)
    photos = [replace(one, photos=(f"{number}",)) for one in exams for number in range(9)]
    whole, single = grade_table(exams), grade_table(photos)
    assert (single.people, single.exams, single.photos, single.graded) == (120, 120, 1080, 1080)
    for name in ("exact", "kappa", "mae", "side_3_to_6"):
        one, nine = whole.figures[name], single.figures[name]
        assert (nine.value, nine.lower, nine.upper) == pytest.approx((one.value, one.lower, one.upper))
        assert nine.people == one.people


def test_a_difference_of_paired_methods(exam_grade):
    better, worse = many(exam_grade, right=0.9), many(exam_grade, right=0.5)
    difference = paired_difference(better, worse, "exact")
    values = [grade_table(rows).figures["exact"].value for rows in (better, worse)]
    assert difference.value == pytest.approx(values[0] - values[1])
    assert 0 < difference.lower < difference.value < difference.upper
    opposite = paired_difference(worse, better, "exact")
    assert (opposite.value, opposite.lower) == pytest.approx((-difference.value, -difference.upper))
    assert paired_difference(better, worse, "mae").upper < 0
    same = paired_difference(better, better, "kappa")
    assert (same.value, same.lower, same.upper) == (0, 0, 0)


def test_pairing_is_sharper_than_two_intervals(exam_grade):
    """Methods that fail on nearly the same exams differ by less chance than each of them has."""
    worse = many(exam_grade, right=0.6)
    better = [
        one if number % 10 else ExamGrade(**{**vars(one), "probabilities": tuple(np.eye(6)[one.grade - 1])})
        for number, one in enumerate(worse)
    ]
    difference = paired_difference(better, worse, "exact")
    alone = grade_table(worse).figures["exact"]
    assert difference.upper - difference.lower < (alone.upper - alone.lower) / 2


def test_only_exams_that_both_grade_are_compared(exams, exam_grade):
    withheld = [exam_grade("a", "1", 1, None), *exams[1:]]
    difference = paired_difference(exams, withheld, "exact")
    assert (difference.value, difference.rows) == (0, 5)
    # One method that names no side cannot be compared in sides.
    silent = [replace(one, left=None) for one in exams]
    none = paired_difference(exams, silent, "side_3_to_6")
    assert (none.value, none.reason) == (None, FIGURES["side_3_to_6"].undefined)


def test_methods_that_grade_nothing_together_have_no_difference(exam_grade):
    one = [exam_grade("a", "1", 4, 4), exam_grade("b", "1", 4, None)]
    other = [exam_grade("a", "1", 4, None), exam_grade("b", "1", 4, 4)]
    for name in FIGURES:
        difference = paired_difference(one, other, name)
        assert (difference.value, difference.rows) == (None, 0)
        assert difference.reason


def test_one_photo_and_all_of_an_exam_can_be_compared(exams):
    one_photo = [replace(one, photos=one.photos[:1]) for one in exams]
    assert paired_difference(exams, one_photo, "exact").rows == 6


def test_what_cannot_be_compared_is_refused(exams):
    with pytest.raises(UsageError, match=r"Did you mean 'exact'"):
        paired_difference(exams, exams, "exakt")
    with pytest.raises(UsageError, match=r"same exams.*'2' of 'd'"):
        paired_difference(exams, exams[:-1], "exact")
    with pytest.raises(UsageError, match=r"disagree about the truth of exam '1' of 'a'"):
        paired_difference(exams, [replace(exams[0], grade=2), *exams[1:]], "exact")
    with pytest.raises(UsageError, match=r"'1' of 'a' is there twice"):
        grade_table([*exams, exams[0]])
    with pytest.raises(UsageError, match="at least one"):
        grade_table([])
