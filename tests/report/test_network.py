"""Network: what the page says of the grading network, where, and with which caution."""

import re

import numpy as np
import pytest
from PIL import Image

from facialpalsy.assessment import Exam, Grade, PalsyRegions, Recognition, UnitPalsy
from facialpalsy.clinical.scales.result import ScaleEstimate
from facialpalsy.report import overlay, render, write_report
from facialpalsy.report.network import most_asymmetric, network_lines, recognition_lines

from .conftest import CAUTION
from .test_html import _text

WITHHELD = (
    "The network grades whole exams and needs usable captures of rest, brow_raise. Missing: brow_raise (not taken)."
)


def page(assessment):
    drawn = {index: overlay(capture, None) for index, capture in enumerate(assessment.captures)}
    return _text(render(assessment, drawn, {}, photos=False))


def section(assessment):
    text = page(assessment)
    return text[text.index("Networks") : text.index("Why values are withheld")]


def test_it_stands_below_the_measures_under_its_caution(assessment, capture, graded):
    for exam in (assessment(), assessment(capture(), capture(expression="snarl"))):
        text = page(graded(exam))
        heading = f"Networks: {CAUTION}"
        assert text.count(heading) >= 1
        assert text.index("Measure Unit") < text.index(heading) < text.index("Provenance")
        assert text.index("Scales (software estimate)") < text.index(heading)


def test_the_grade_stands_beside_the_rules(assessment, capture, graded):
    rule = {"house_brackmann": ScaleEstimate("house_brackmann", None, (4, 5), (), None)}
    found = section(graded(assessment(capture(), capture(expression="snarl"), scales=rule)))
    assert "House-Brackmann V by the network from 2 captures together (probability 0.60; I is best, VI worst)." in found
    assert "By the rule from the measures: IV to V (I is best, VI worst)." in found
    assert "Affected side, given a palsy: right (probability 0.97)." in found


def test_a_rule_without_a_grade_is_withheld(assessment, graded):
    assert "By the rule from the measures: withheld." in section(graded(assessment()))
    assert "By the rule from the measures: withheld." in section(graded(assessment(scales={})))


def test_both_are_shown_where_they_disagree(assessment, graded):
    exam = graded(assessment()).model_copy(update={"disagreement": "They differ by more than one grade."})
    found = section(exam)
    assert found.index("They differ by more than one grade.") < found.index("House-Brackmann V by the network")


def test_why_there_is_no_grade_is_said_without_code_names(assessment):
    found = section(assessment(grade=Grade(withheld=WITHHELD, caution=CAUTION)))
    assert f"Networks: {CAUTION}" in found
    assert (
        "No grade by the network. The network grades whole exams and needs usable captures of rest, brow raise. "
        "Missing: brow raise (not taken)."
    ) in found
    assert "House-Brackmann I" not in found


def test_without_a_network_that_is_said(assessment):
    assert "Networks No grade by the network. No grading network is installed." in section(assessment())


def test_grade_one_is_no_reassurance_and_names_no_side(assessment, graded):
    lines = network_lines(graded(assessment(), estimate=1, probabilities=(0.9, 0.1, 0, 0, 0, 0)))
    assert "This does not exclude a weakness." in lines
    assert not [line for line in lines if "Affected side" in line]


@pytest.mark.parametrize(("left", "side"), [(0.97, "left"), (0.03, "right")])
def test_an_affected_side_that_was_named_as_reference_is_remarked(assessment, graded, left, side):
    for reference in ("left", "right"):
        exam = assessment(exam=Exam(reference_side=reference, side_frame="subject"))
        lines = network_lines(graded(exam, left_affected=left))
        assert any("is named as the reference side" in line for line in lines) is (side == reference)


def test_of_a_picture_of_unknown_mirroring_the_halves_of_the_image_are_named(assessment, capture, graded):
    unknown = capture(mirrored="unknown", side_frame="image")
    lines = network_lines(graded(assessment(unknown, exam=Exam(reference_side="right"))))
    assert "Affected side, given a palsy: image right half (probability 0.97)." in lines
    assert not [line for line in lines if "reference side" in line]


def test_each_capture_has_its_own_row(assessment, capture, graded):
    found = section(graded(assessment(capture(), capture(expression="snarl"))))
    assert "Capture Alone Probability Forehead Eyes Nose Mouth Whole face" in found
    assert "Rest II 0.70 0.01 \N{EN DASH} \N{EN DASH} 0.62 0.50" in found
    assert "Snarl II 0.70 0.01 \N{EN DASH} \N{EN DASH} 0.62 0.25" in found


def test_the_three_most_asymmetric_captures_are_shown_in_the_order_of_the_exam(assessment, capture, graded):
    captures = [capture(expression=one) for one in ("snarl", "rest", "pucker", "smile_open", "brow_raise")]
    # 1/2, 1/4, 1/6, 1/8, 1/10 in this order.
    assert most_asymmetric(graded(assessment(*captures)).captures) == [0, 1, 2]
    assert most_asymmetric(graded(assessment(*captures)).captures[::-1]) == [2, 3, 4]
    assert most_asymmetric(captures) == []


def test_maps_are_written_to_the_files_that_the_captures_name(assessment, capture, graded, maps, tmp_path):
    exam = graded(assessment(capture(expression="snarl"), capture()))
    photo = np.full((100, 100, 3), 120, np.uint8)
    written = write_report(tmp_path, exam, {0: photo, 1: photo}, {0: maps(), 1: maps()})
    named = [name for one in exam.captures for name in one.maps.values()]
    assert [path.name for path in written] == [
        "overlay_1_snarl.png", "overlay_2_rest.png", *named, "report.html",
    ]  # fmt: skip
    assert sorted(tmp_path.iterdir()) == sorted(written)
    with Image.open(tmp_path / "map_asymmetry_1.png") as image:
        assert image.size == (448, 448)
    text = written[-1].read_text("utf-8")
    # Two overlays, two small ones for paper, and two maps of each.
    assert text.count("data:image/jpeg") == 2 + 2 + 4
    assert re.findall(r'alt="Map of the (\w+), (\w+):', text) == [
        ("regions", "Rest"), ("asymmetry", "Rest"), ("regions", "Snarl"), ("asymmetry", "Snarl"),
    ]  # fmt: skip
    assert "Rest: mean asymmetry 0.25, highest mouth 0.62" in text


def test_no_photos_means_no_photo_in_any_map(assessment, graded, maps, tmp_path):
    shown = {index: np.full((100, 100, 3), 120, np.uint8) for index in range(1)}
    write_report(tmp_path, graded(assessment()), shown, {0: maps()}, photos=False)
    with Image.open(tmp_path / "map_regions_1.png") as image:
        assert np.median(np.asarray(image)) > 240


def test_words_that_a_report_may_not_use(assessment, graded):
    text = page(graded(assessment())).lower()
    assert not re.search(r"\b(normal|abnormal|diagnos\w+|disfigur\w+)\b", text)


ACTIONS = {
    1: ("inner brow raise", "forehead"),
    12: ("lip corner pull", "mouth"),
    26: ("lower lip", "mouth"),
    43: ("eye closure", "eye"),
}


def recognised(assessment, units=(), **given):
    """The assessment with a recognised palsy of these units: (number, side, probability), called so from 0.5."""
    found = {"probability": 0.93, "palsied": True, "threshold": 0.4, "captures": 2, "withheld": None, **given}
    regions = PalsyRegions(
        units=tuple(
            UnitPalsy(
                au=au, action=action, zone=zone, side=side, probability=share, threshold=0.5, palsied=share >= 0.5
            )
            for au, side, share in units
            for action, zone in (ACTIONS[au],)
        ),
        withheld=None,
        caution=CAUTION,
    )
    return assessment.model_copy(update={"recognition": Recognition(**found, caution=CAUTION), "regions": regions})


def test_a_palsy_and_its_actions_are_one_sentence_for_each_region(assessment):
    units = [(12, "left", 0.8), (26, "left", 0.6), (1, "left", 0.7), (12, "right", 0.2), (43, "right", 0.5)]
    lines = recognition_lines(recognised(assessment(), units))
    assert lines == [
        "A palsy is recognised from 2 captures together (probability 0.93, called so from 0.40).",
        "Left, forehead, palsied by the region network: inner brow raise (AU1; probability 0.70, called so from 0.50).",
        "Right, eye, palsied by the region network: eye closure (AU43; probability 0.50, called so from 0.50).",
        "Left, mouth, palsied by the region network: lip corner pull (AU12; probability 0.80, called so from 0.50), "
        "lower lip (AU26; probability 0.60, called so from 0.50).",
    ]


def test_a_low_probability_is_no_reassurance(assessment):
    found = recognised(assessment(), probability=0.1, palsied=False, captures=1)
    first, second = recognition_lines(found)
    assert first.startswith("No palsy is recognised from 1 capture (probability 0.10")
    assert first.endswith("This does not exclude a weakness.") and second.endswith("This does not exclude a weakness.")


def test_of_networks_that_are_not_there_nothing_is_said(assessment):
    assert recognition_lines(assessment()) == []


def test_why_a_network_says_nothing_is_said(assessment):
    exam = assessment().model_copy(
        update={
            "recognition": Recognition(withheld="No usable capture says what it shows.", caution=CAUTION),
            "regions": PalsyRegions(withheld="Whether there is a palsy was not said.", caution=CAUTION),
        }
    )
    assert recognition_lines(exam) == [
        "No recognition by the network. No usable capture says what it shows.",
        "Regions are not said. Whether there is a palsy was not said.",
    ]


def test_their_caution_stands_above_them(assessment):
    found = section(recognised(assessment(), [(12, "left", 0.8)]))
    assert found.startswith(f"Networks: {CAUTION}") and "Left, mouth, palsied by the region network" in found
