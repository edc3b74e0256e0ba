"""Figures: lengths and places of bars and marks, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from facialpalsy.report import bars, movement_bars

from .conftest import measures


def _svg(text):
    return ElementTree.fromstring(text)  # noqa: S314  our own text


def test_bars_of_one_unit_share_one_scale(capture):
    root = _svg(bars(capture()))
    widths = {
        (one.get("class"), round(float(one.get("width")), 1)) for one in root.iter("rect") if "bar" in one.get("class")
    }
    # mm: the longest is 24.0 on the left, so right is 130 * 22.4 / 24; degrees: 105 is the longest, so 100 is 123.8.
    assert ("bar left", 130.0) in widths
    assert ("bar right", 121.3) in widths
    assert ("bar right", 123.8) in widths
    assert ("bar left negative", 4.3) in widths


def test_the_right_side_runs_to_the_left(capture):
    root = _svg(bars(capture()))
    rights = [one for one in root.iter("rect") if one.get("class") == "bar right"]
    lefts = [one for one in root.iter("rect") if one.get("class") == "bar left"]
    axis = float(lefts[0].get("x"))
    assert all(float(one.get("x")) + float(one.get("width")) == pytest.approx(axis, abs=0.11) for one in rights)


def test_a_midline_measure_has_one_bar_on_the_side_it_deviates_to(capture):
    only = capture(measures=measures()[4:])
    classes = [one.get("class") for one in _svg(bars(only)).iter("rect")]
    assert classes == ["bar right"]


def test_what_exceeds_limits_is_marked_by_shape_and_not_by_colour_alone(capture):
    root = _svg(bars(capture()))
    assert [one.get("class") for one in root.iter("path")] == ["mark beyond"]
    within = replace(measures()[0], z=0.5, healthy_limits=(-0.1, 0.1))
    root = _svg(bars(capture(measures=(within,))))
    assert [one.get("class") for one in root.iter("circle")] == ["mark"]
    assert not list(root.iter("path"))


def test_a_difference_within_its_noise_is_never_marked(capture):
    noisy = replace(measures()[0], noise=0.0103)  # 1.96 * 0.0103 > 0.02
    assert not list(_svg(bars(capture(measures=(noisy,)))).iter("path"))


def test_text_stays_text_and_colours_come_from_the_page(capture, assessment):
    for text in (bars(capture()), movement_bars(assessment())):
        words = " ".join(_svg(text).itertext())
        assert "Right" in words
        assert "Left" in words
        assert "#" not in text
        assert "http" not in text
    assert "Open smile: commissure excursion" in movement_bars(assessment())


def test_nothing_measured_gives_no_figure(capture, assessment):
    assert bars(capture(measures=measures()[1:2])) == ""
    assert movement_bars(assessment(movements=())) == ""
