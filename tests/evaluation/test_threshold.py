"""Threshold: chosen where the classes part, and never on the people that it is judged on."""

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.palsy import PalsyExam, palsy_table
from facialpalsy.evaluation.threshold import best_threshold, nested

TRUTH = np.array([False, False, False, True, True])


def test_the_threshold_lies_in_the_gap():
    assert best_threshold(np.array([0.1, 0.2, 0.25, 0.65, 0.9]), TRUTH) == pytest.approx(0.45)


def test_the_threshold_weighs_the_classes_alike():
    """One of three healthy people above the lower palsied one: catching both palsied ones is worth it."""
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.5, 0.9]), TRUTH) == pytest.approx(0.35)


def test_one_class_chooses_nothing():
    for truth in (np.zeros(3, bool), np.ones(3, bool)):
        assert best_threshold(np.array([0.2, 0.4, 0.9]), truth) == 0.5


def test_it_agrees_with_trying_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, given = rng.random(30) < 0.4, rng.random(30).round(1)
        best = best_threshold(given, truth)

        def balanced(least, truth=truth, given=given):
            return (given >= least)[truth].mean() + (given < least)[~truth].mean()

        assert balanced(best) == pytest.approx(max(map(balanced, np.linspace(-0.05, 1.05, 111))))


def people(count, shift):
    """People whose probabilities part at 0.5 + shift, half of them palsied, two exams each."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(count):
        palsy = number % 2 == 0
        for exam in "ab":
            given = 0.5 + shift + (0.1 if palsy else -0.1) * rng.random()
            rows.append(PalsyExam(f"p{number}", exam, (), (palsy, None), (given, 0.3)))
    return rows


def test_a_shifted_method_is_judged_by_thresholds_of_others():
    rows = people(40, 0.25)
    before = palsy_table(rows, ("palsy", "other"), (0.5, 0.5)).figures["balanced_accuracy"].value
    after = palsy_table(nested(rows), ("palsy", "other"), (0.5, 0.5)).figures["balanced_accuracy"].value
    assert before == pytest.approx(0.5) and after > 0.9


def test_nobody_chooses_for_themselves():
    """One palsied person alone lies below all healthy ones: whoever is left out, the others cannot know it."""
    rows = [PalsyExam(f"h{number}", "a", (), (False,), (0.6,)) for number in range(9)]
    rows.append(PalsyExam("p", "a", (), (True,), (0.7,)))
    found = {row.subject: row.probabilities[0] for row in nested(rows)}
    # Without the palsied person there is one class alone, and the threshold stays 0.5.
    assert found["p"] == pytest.approx(0.7) and max(found["h0"], found["h8"]) <= 0.6


def test_the_order_of_probabilities_stays():
    rows = people(20, 0.1)
    found = nested(rows, folds=2)
    for fold in (found, rows):
        assert all(0 <= row.probabilities[0] <= 1 for row in fold)
    same = [row for row in found if row.subject == "p0"]
    assert (same[0].probabilities[0] < same[1].probabilities[0]) == (
        rows[0].probabilities[0] < rows[1].probabilities[0]
    )


def test_too_few_people_are_refused():
    with pytest.raises(UsageError, match="needs 5 people at least; there are 4"):
        nested(people(4, 0.0))
