"""Errors: every failure has its own name below one base, and suggestions are the nearest names."""

import inspect

import pytest

from facialpalsy import errors
from facialpalsy.errors import FacialPalsyError, LandmarkFileError, SwappedSidesError, UsageError, did_you_mean

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_one_of_ours_and_says_when_it_is_raised(kind):
    assert issubclass(kind, FacialPalsyError)
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    assert str(kind("One sentence.")) == "One sentence."


def test_relations_that_callers_may_rely_on():
    assert issubclass(UsageError, ValueError)
    assert issubclass(SwappedSidesError, LandmarkFileError)


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        ("smile_opne", "Did you mean 'smile_open'? Allowed are rest, smile_open."),
        ("xyz", "Allowed are rest, smile_open."),
        ("", "Allowed are rest, smile_open."),
    ],
)
def test_did_you_mean_names_the_nearest_or_none(found, hint):
    assert did_you_mean(found, ["rest", "smile_open"]) == hint
