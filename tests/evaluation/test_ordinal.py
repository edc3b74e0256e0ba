"""Ordinal: recovers a known model, is logistic regression for two classes, and its probabilities are some."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit

from facialpalsy.evaluation.ordinal import OrdinalModel, _loss, fit_ordinal

SLOPE, CUTS = np.array([1.0, -2.0, 0.5]), np.array([-2.0, -0.5, 0.3, 1.0, 3.0])


def drawn(count, seed=0):
    """Features, and classes by the model itself: a logistic error is added to x w and cut."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3))
    return features, np.searchsorted(CUTS, features @ SLOPE + rng.logistic(size=count))


def test_the_model_that_drew_the_classes_is_found():
    found = fit_ordinal(*drawn(20000), 6, penalty=1e-3)
    assert found.slope == pytest.approx(SLOPE, abs=0.06)
    assert found.cuts == pytest.approx(CUTS, abs=0.08)


def test_probabilities_by_hand():
    model = OrdinalModel(np.array([2.0]), np.array([-1.0, 1.0]))
    # At x = 0.5: above the first cut sigmoid(2), above the second sigmoid(0).
    assert model.probabilities(np.array([[0.5]]))[0] == pytest.approx([1 - expit(2), expit(2) - 0.5, 0.5])


def test_probabilities_sum_to_one_and_rise_with_the_score():
    model = fit_ordinal(*drawn(300), 6, penalty=1.0)
    features = drawn(50, seed=1)[0]
    given = model.probabilities(features)
    assert (given >= 0).all()
    assert given.sum(1) == pytest.approx(np.ones(50))
    means = given[np.argsort(features @ model.slope)] @ np.arange(6)
    assert (np.diff(means) >= 0).all()


def test_the_gradient_is_that_of_the_loss():
    features, classes = drawn(60)
    place = np.array([0.3, -0.2, 0.9, -1.0, *np.log([0.5, 0.7, 0.9, 0.3])])
    slopes = approx_fprime(place, lambda at: _loss(at, features, classes, 6, 0.7)[0], 1e-6)
    assert _loss(place, features, classes, 6, 0.7)[1] == pytest.approx(slopes, abs=1e-4)


def test_two_classes_are_logistic_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    features, classes = drawn(200)
    above = (classes > 2).astype(int)
    expected = linear.LogisticRegression(C=0.5, tol=1e-10, max_iter=10000).fit(features, above)
    found = fit_ordinal(features, above, 2, penalty=2.0)
    assert found.slope == pytest.approx(expected.coef_[0], abs=1e-4)
    assert found.cuts == pytest.approx(-expected.intercept_, abs=1e-4)


def test_without_features_that_tell_the_shares_remain():
    _, classes = drawn(500)
    found = fit_ordinal(np.zeros((500, 2)), classes, 6, penalty=1.0)
    assert found.probabilities(np.zeros((1, 2)))[0] == pytest.approx(np.bincount(classes) / 500, abs=1e-4)
