"""Confusion: figures of tables by hand, of stacks of tables one by one, and against scikit-learn."""

import numpy as np
import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation import confusion

# Truth in rows. Class 2 is never true, class 3 neither true nor named.
COUNTS = np.array([[3.0, 1, 0, 0], [1, 2, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_counts_have_truth_in_rows():
    counts = confusion.confusion_counts([1, 1, 2, 3], [1, 2, 2, 2], [1, 2, 3])
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_figures_by_hand():
    assert confusion.within(COUNTS, 0) == pytest.approx(5 / 8)
    assert confusion.within(COUNTS, 1) == 1
    assert confusion.mean_distance(COUNTS) == pytest.approx(3 / 8)
    # Of classes 0 and 1, which are true of somebody: 3 of 4 and 2 of 4.
    assert confusion.balanced_accuracy(COUNTS) == pytest.approx((3 / 4 + 2 / 4) / 2)
    # Of classes 0, 1 and 2, which are true or named: 2 TP / (2 TP + FP + FN).
    assert confusion.macro_f1(COUNTS) == pytest.approx((6 / 8 + 4 / 7 + 0) / 3)


def test_a_stack_is_worked_out_table_by_table():
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 4, (2, 5, 6, 6)).astype(float)
    for figure in (
        lambda counts: confusion.within(counts, 1),
        confusion.mean_distance,
        confusion.balanced_accuracy,
        confusion.macro_f1,
        lambda counts: confusion.kappa(counts, "none"),
        lambda counts: confusion.kappa(counts, "quadratic"),
    ):
        whole = figure(stack)
        assert whole.shape == (2, 5)
        for place in np.ndindex(2, 5):
            assert whole[place] == pytest.approx(float(figure(stack[place])))


def test_an_empty_table_has_no_figure():
    for figure in (confusion.mean_distance, confusion.balanced_accuracy, confusion.macro_f1):
        assert np.isnan(figure(np.zeros((6, 6))))
    assert np.isnan(confusion.kappa(np.zeros((6, 6)), "none"))


def test_a_class_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"Found 7; allowed are 1, 2"):
        confusion.confusion_counts([1, 7], [1, 2], [1, 2])
    with pytest.raises(UsageError, match="equal length"):
        confusion.confusion_counts([1], [1, 2], [1, 2])


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_figures_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    for _ in range(20):
        # Five classes of which a draw of twelve often misses one.
        truth, predicted = rng.integers(0, 5, (2, 12))
        counts = confusion.confusion_counts(truth, predicted, range(5))
        assert counts.tolist() == metrics.confusion_matrix(truth, predicted, labels=range(5)).tolist()
        expected = metrics.balanced_accuracy_score(truth, predicted)
        assert confusion.balanced_accuracy(counts) == pytest.approx(expected)
        assert confusion.macro_f1(counts) == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
        for weights in ("none", "linear", "quadratic"):
            expected = metrics.cohen_kappa_score(truth, predicted, weights=None if weights == "none" else weights)
            assert confusion.kappa(counts, weights) == pytest.approx(expected)
