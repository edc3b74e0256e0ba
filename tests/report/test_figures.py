"""Figures: lengths and places of bars and marks, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from facialpalsy.clinical.scales.result import ScaleEstimate
from facialpalsy.report import bars, grade_bars, movement_bars

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


def test_a_grades_bar_is_as_long_as_its_probability_and_the_rule_is_shaded(assessment, graded):
    rule = {"house_brackmann": ScaleEstimate("house_brackmann", None, (2.0, 3.0), (), None)}
    root = _svg(grade_bars(graded(assessment(scales=rule))))
    shares = [one for one in root.iter("rect") if one.get("class") == "bar share"]
    # Of 200 at full length.
    assert [float(one.get("width")) for one in shares] == pytest.approx([2, 8, 20, 40, 120, 10])
    shaded = [float(one.get("y")) for one in root.iter("rect") if one.get("class") == "band"]
    rows = [float(one.get("y")) - 4 for one in shares]
    assert shaded == rows[1:3]
    bold = [one for one in root.iter("g") if one.get("font-weight")]
    assert [text.text for text in bold[0].iter("text")] == ["V", "0.60"]
    assert len(bold) == 1
    assert "V 0.60" in root.get("aria-label")


def test_without_the_rule_nothing_is_shaded_and_without_a_grade_there_is_no_figure(assessment, graded):
    assert "band" not in grade_bars(graded(assessment(scales={})))
    assert grade_bars(assessment()) == ""
