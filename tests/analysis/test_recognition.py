"""Recognition: hand-made exams before stand-ins whose answers are known: what is asked, what is withheld, and sides."""

import numpy as np
import pytest

from facialpalsy.analysis import Job
from facialpalsy.analysis.capture import with_reasons
from facialpalsy.analysis.pipeline import _result
from facialpalsy.analysis.recognition import UNITS, palsy_places, recognise_exam
from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Mirrored, Side
from facialpalsy.weights import shipped

from ..stand_in import CAUTION, HEAT

E = Expression
BOTH = {("AU12", Side.LEFT): 0.8, ("AU2", Side.RIGHT): 0.6}


def recognised(exam, captures=None, *, regions_of_all=False):
    """What the networks say of a hand-made exam, a complete one by default."""
    result = exam.assess(exam.captures() if captures is None else captures)
    return recognise_exam(result, tuple(one.capture for one in result.captures), {}, regions_of_all=regions_of_all)


def palsied(found):
    return {(one.au, one.side) for one in found.regions.units if one.palsied}


def test_a_palsy_is_recognised_and_its_units_are_named(stand_in_recognition, exam):
    stand_in_recognition(0.7, BOTH)
    found = recognised(exam)
    recognition = found.recognition
    assert (recognition.probability, recognition.palsied, recognition.threshold) == (0.7, True, 0.4)
    assert (recognition.captures, recognition.withheld) == (len(exam.taken), None)
    assert (recognition.model, recognition.caution) == ("recogniser", CAUTION)
    assert palsied(found) == {(12, Side.LEFT), (2, Side.RIGHT)}
    named = {(one.au, one.action, one.zone) for one in found.regions.units}
    assert {(12, "lip corner pull", "mouth"), (26, "lower lip", "mouth"), (43, "eye closure", "eye")} <= named
    assert len(found.regions.units) == 2 * len(PALSY_UNITS) and found.regions.model == "regions"
    assert [one.name for one in found.models] == ["recogniser", "regions"]


def test_every_capture_has_scores_and_a_map_of_what_is_palsied(stand_in_recognition, exam):
    stand_in_recognition(0.7, BOTH)
    found = recognised(exam)
    scores = {(one.au, one.side): one.score for one in found.captures[2].regions}
    # Half of a map is 2 p - 1, the other half 0.
    assert scores[12, Side.LEFT] == pytest.approx((2 * 0.8 - 1) / 2, abs=1e-4)
    assert scores[1, Side.LEFT] == pytest.approx((2 * 0.1 - 1) / 2, abs=1e-4)
    assert found.captures[2].maps["palsy"] == "map_palsy_3.png"
    where = found.maps[2].palsy
    expected = np.zeros((HEAT, HEAT), np.float32)
    expected[:, HEAT // 2 :], expected[:, : HEAT // 2] = 0.8, 0.6
    np.testing.assert_allclose(where, expected, atol=1e-6)


def test_units_that_are_not_called_palsied_add_nothing_to_the_map(stand_in_recognition, exam):
    stand_in_recognition(0.7, {("AU12", Side.LEFT): 0.2, ("AU2", Side.RIGHT): 0.9})
    where = recognised(exam).maps[2].palsy
    np.testing.assert_allclose(where[0, [0, -1]], [0.9, 0], atol=1e-6)


def test_the_map_ends_at_one_and_keeps_what_is_deeper(stand_in_recognition, exam):
    stand_in_recognition(0.7, {("AU12", Side.LEFT): 0.9, ("AU10", Side.LEFT): 0.9, ("AU2", Side.RIGHT): 0.9})
    where = recognised(exam).maps[2].palsy
    # 0.9 twice on the left, once on the right.
    np.testing.assert_allclose(where[0, [0, -1]], [0.5, 1], atol=1e-6)


def test_a_photo_that_shows_no_palsy_of_a_unit_still_shows_its_place():
    maps = np.zeros((2, 2, 2, 2), np.float32)
    maps[0, 0, 0, 1], maps[1, 0, 0, 1] = -0.2, 0.5  # one unit: not seen in the first photo, seen in the second
    maps[:, 1, 1, 0] = 1  # another, which is not called palsied
    where = palsy_places(maps, np.array([0.8, 0.3], np.float32), np.array([True, False]))
    np.testing.assert_allclose(where, [[[0, 0.8], [0, 0]]] * 2, atol=1e-6)


def test_the_map_of_a_mirrored_exam_is_the_mirrored_map():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5, 5)).astype(np.float32)
    palsy, called, swap = np.array([0.9, 0.2, 0.6, 0.7], np.float32), np.array([True, False, True, True]), [1, 0, 3, 2]
    mirrored = palsy_places(maps[:, swap, :, ::-1], palsy[swap], called[swap])
    np.testing.assert_allclose(mirrored, palsy_places(maps, palsy, called)[..., ::-1], atol=1e-6)


def test_heat_maps_of_nothing_show_no_place():
    assert not palsy_places(np.zeros((1, 2, 3, 3), np.float32), np.ones(2, np.float32), np.ones(2, bool)).any()


def test_without_the_recogniser_nobody_finds_the_points(stand_in_recognition, exam):
    stand_in_recognition(0.7, BOTH)
    (shipped.folder() / "recogniser.json").unlink()
    found = recognised(exam, regions_of_all=True)
    assert found.regions.units == () and found.regions.withheld == (
        "The region network takes the points that the recogniser finds: no recognition network is installed"
    )


def test_below_the_threshold_regions_are_said_only_on_demand(stand_in_recognition, exam):
    stand_in_recognition(0.39, BOTH)
    found = recognised(exam)
    assert found.recognition.palsied is False and found.regions.units == () and found.maps == {}
    assert "does not exclude one" in found.regions.withheld and "--regions" in found.regions.withheld
    assert [one.name for one in found.models] == ["recogniser"]
    assert palsied(recognised(exam, regions_of_all=True)) == {(12, Side.LEFT), (2, Side.RIGHT)}


def test_a_single_photo_is_enough(stand_in_recognition, exam):
    stand_in_recognition(0.7, BOTH)
    found = recognised(exam, exam.captures()[:1])
    assert found.recognition.captures == 1 and found.recognition.palsied


def test_what_shows_nothing_known_is_not_asked_about(stand_in_recognition, exam, hand):
    stand_in_recognition(0.7, BOTH)
    unnamed = hand.capture(hand.Patient().face(E.SNARL).landmarks(), None)
    turned = with_reasons(hand.capture(hand.Patient().face(E.SNARL).landmarks(), E.SNARL), "Turned.", usable=False)
    found = recognised(exam, [unnamed, turned])
    assert found.recognition.probability is None and "name the expression" in found.recognition.withheld
    assert found.regions.withheld == found.recognition.withheld


def test_without_networks_both_say_so(stand_in, exam):
    found = recognised(exam)
    assert found.recognition.withheld == "no recognition network is installed"
    assert found.regions.withheld == "no region network is installed" and found.models == ()


def test_with_unknown_mirroring_sides_are_the_halves_of_the_image(stand_in_recognition, exam):
    """The network's left is the image's right half, as in a picture that is not mirrored."""
    stand_in_recognition(0.7, BOTH)
    captures = exam.captures(mirrored=Mirrored.UNKNOWN)
    assert palsied(recognised(exam, captures)) == {(12, Side.RIGHT), (2, Side.LEFT)}


def test_the_assessment_holds_it_all(stand_in_recognition, exam, hand):
    stand_in_recognition(0.7, BOTH)
    assessment = _result(Job("exam", "exam", ()), exam.captures(), [], hand.SETTINGS, ()).assessment
    assert assessment.recognition.palsied and assessment.regions.units
    assert [one.name for one in assessment.software.models] == ["recogniser", "regions"]
    assert type(assessment).model_validate_json(assessment.to_json()) == assessment


def test_the_units_are_those_of_the_labels():
    assert [unit for unit, _ in UNITS[::2]] == list(PALSY_UNITS)
    assert [side for _, side in UNITS[:2]] == [Side.LEFT, Side.RIGHT]
