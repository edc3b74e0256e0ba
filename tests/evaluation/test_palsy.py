"""Palsy: figures by hand, baselines, paired differences, and what is refused."""

import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.palsy import AUC, FIGURES, PalsyExam, paired_palsy_difference, palsy_table

QUESTIONS = ("AU2 left", "AU12 left")
EVEN = (0.5, 0.5)


def exam(subject, truth, given, number=1):
    return PalsyExam(subject, f"exam {number}", (f"{subject}-{number}",), truth, given)


def one(subject, truth, given):
    """An exam with a single question."""
    return exam(subject, (truth,), (given,))


# Four palsied and two healthy people: three and one are called right.
SIX = [one("a", True, 0.9), one("b", True, 0.8), one("c", True, 0.5), one("d", True, 0.2)]
SIX += [one("e", False, 0.1), one("f", False, 0.7)]


def test_figures_by_hand():
    table = palsy_table(SIX, ("palsy",), (0.5,))
    values = {name: estimate.value for name, estimate in table.figures.items()}
    assert values["sensitivity"] == pytest.approx(3 / 4) and values["specificity"] == pytest.approx(1 / 2)
    assert values["balanced_accuracy"] == pytest.approx(5 / 8)
    assert values["accuracy"] == pytest.approx(4 / 6)
    assert values["f1"] == pytest.approx(6 / (6 + 1 + 1))
    # Of the eight pairs, a and b beat both, c and d beat e alone.
    assert values[AUC] == pytest.approx(6 / 8)
    assert (table.people, table.exams, table.answered) == (6, 6, 6)


def test_the_threshold_decides():
    assert palsy_table(SIX, ("palsy",), (0.75,)).figures["specificity"].value == 1
    assert palsy_table(SIX, ("palsy",), (0.2,)).figures["sensitivity"].value == 1


def test_a_figure_is_the_mean_of_the_questions_that_define_it():
    rows = [
        exam("a", (True, None), (0.9, 0.9)),
        exam("b", (False, True), (0.9, 0.9)),
        exam("c", (False, True), (0.1, 0.1)),
        exam("d", (None, None), (0.1, 0.1)),
    ]
    table = palsy_table(rows, QUESTIONS, EVEN)
    first, second = (table.by_question[name] for name in QUESTIONS)
    assert first["balanced_accuracy"].value == pytest.approx(3 / 4)
    assert second["balanced_accuracy"].value is None and second["sensitivity"].value == pytest.approx(1 / 2)
    assert table.figures["balanced_accuracy"].value == pytest.approx(3 / 4)
    assert table.figures["sensitivity"].value == pytest.approx((1 + 1 / 2) / 2)
    assert "no question has exams with and without" in second["balanced_accuracy"].reason


def test_equal_probabilities_are_worth_a_half():
    table = palsy_table([one("a", True, 0.5), one("b", False, 0.5)], ("palsy",), (0.5,))
    assert table.figures[AUC].value == pytest.approx(0.5)


def test_the_majority_says_what_most_training_exams_have():
    table = palsy_table(SIX, ("palsy",), (0.5,), reference=[(True,), (True,), (False,)])
    assert table.majority["sensitivity"].value == 1 and table.majority["specificity"].value == 0
    assert table.majority["balanced_accuracy"].value == pytest.approx(0.5)


def test_identity_says_what_the_other_exams_of_the_person_have():
    rows = [exam("a", (True,), (0.1,), number) for number in (1, 2)] + [one("b", False, 0.9)]
    table = palsy_table(rows, ("palsy",), (0.5,))
    assert table.identity["accuracy"].value == 1 and table.identity["accuracy"].rows == 2
    assert table.figures["accuracy"].value == 0


def test_a_paired_difference():
    better = [one(row.subject, row.truth[0], 0.9 if row.truth[0] else 0.1) for row in SIX]
    found = paired_palsy_difference(better, SIX, ((0.5,), (0.5,)), "balanced_accuracy")
    assert found.value == pytest.approx(1 - 5 / 8)
    assert paired_palsy_difference(SIX, SIX, ((0.5,), (0.5,)), "accuracy").value == 0
    with pytest.raises(UsageError, match="Unknown figure 'balanced'"):
        paired_palsy_difference(SIX, SIX, ((0.5,), (0.5,)), "balanced")
    with pytest.raises(UsageError, match="same questions about the same exams"):
        paired_palsy_difference(SIX, SIX[1:], ((0.5,), (0.5,)), "accuracy")


def test_what_is_withheld_counts_for_nothing():
    silent = PalsyExam("g", "exam 1", ("g-1",), (True,), None, withheld="No usable photo.")
    table = palsy_table([*SIX, silent], ("palsy",), (0.5,))
    assert table.withheld == {"No usable photo.": 1} and table.answered == 6 and table.people == 7
    assert table.figures["sensitivity"].value == pytest.approx(3 / 4)
    alone = palsy_table([silent], ("palsy",), (0.5,))
    assert {one.value for one in alone.figures.values()} == {None} and set(alone.figures) == {*FIGURES, AUC}


def test_people_are_drawn_with_all_their_rows():
    """Two people, one always right and one always wrong: a draw has accuracy 0, 1/2 or 1, however many rows."""
    rows = [exam("a", (True,), (0.9,), number) for number in range(50)]
    rows += [exam("b", (True,), (0.1,), number) for number in range(50)]
    found = palsy_table(rows, ("palsy",), (0.5,)).figures["accuracy"]
    assert (found.value, found.lower, found.upper) == (0.5, 0, 1) and (found.people, found.rows) == (2, 100)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PalsyExam("a", "1", (), (True,), None), "needs either probabilities or the reason"),
        (lambda: PalsyExam("a", "1", (), (True,), (0.5, 0.5)), "2 probabilities for 1 questions"),
        (lambda: PalsyExam("a", "1", (), (True,), (1.5,)), "allowed are 0 to 1"),
        (lambda: palsy_table([], ("palsy",), (0.5,)), "There is no exam"),
        (lambda: palsy_table(SIX, QUESTIONS, EVEN), "for 2 questions"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(UsageError, match=message):
        make()
