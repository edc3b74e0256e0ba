"""Grading: hand-made exams before a stand-in whose arithmetic is known: what enters, what is withheld, and sides."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facialpalsy.analysis import Job, Settings, find_jobs, run_job
from facialpalsy.analysis.capture import with_reasons
from facialpalsy.analysis.grading import NEEDED, REGIONS, _disagreement, grade_exam, mean_asymmetry
from facialpalsy.analysis.pipeline import _result
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.assessment import FaceMaps, Grade
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales import ScaleEstimate
from facialpalsy.face import Mirrored, ReferenceSide, Side
from facialpalsy.weights import shipped

from ..stand_in import CAUTION, FACE, GRID, place
from ..stand_in import REGIONS as PLACES

E = Expression
HEADER = ExamHeader(reference_side=ReferenceSide.RIGHT)
IV = (0.0, 0.1, 0.2, 0.5, 0.1, 0.1)


def graded(exam, hand, captures=None, header=HEADER, **given):
    """What the network adds to a hand-made exam, a complete one by default."""
    captures = exam.captures(**given) if captures is None else captures
    return grade_exam(exam.assess(captures, header=header), header, hand.SETTINGS, None)


def lit(captures, left, right):
    """The captures with pictures of two brightnesses, left and right of the face's midline at x = 150."""
    picture = np.full((300, 300, 3), left, np.uint8)
    picture[:, 150:] = right
    return [replace(one, picture=picture) for one in captures]


def test_a_complete_exam_is_graded_over_all_its_captures(stand_in, exam, hand):
    stand_in(IV)
    found = graded(exam, hand)
    assert found.grade.probabilities == IV
    assert (found.grade.estimate, found.grade.withheld) == (4, None)
    assert (found.grade.model, found.grade.caution, found.grade.notes) == ("grader", CAUTION, ())
    assert [one.expression for one in found.captures] == list(exam.taken)
    # A photo's grade is that of its expression's number: 0 to 5, and then from 0 again.
    likely = [one.grade.probabilities.index(1.0) for one in found.captures]
    assert likely == [list(E).index(one.expression) % 6 for one in found.captures]
    assert found.captures[1].maps == {"regions": "map_regions_2.png", "asymmetry": "map_asymmetry_2.png"}
    assert set(found.maps) == set(range(len(exam.taken)))


def test_every_usable_take_of_a_stated_expression_enters_and_nothing_else(stand_in, exam, hand):
    stand_in(IV)
    captures = exam.captures()
    again = hand.capture(hand.Patient().face(E.REST).landmarks(), E.REST)
    turned = with_reasons(hand.capture(hand.Patient().face(E.SNARL).landmarks(), E.SNARL), "Turned.", usable=False)
    unnamed = hand.capture(hand.Patient().face(E.SNARL).landmarks(), None)
    found = graded(exam, hand, [*captures, again, turned, unnamed])
    seen = [one.grade is not None for one in found.captures]
    assert seen == [*[True] * (len(captures) + 1), False, False]
    assert [bool(one.maps) for one in found.captures] == seen


def test_the_network_is_named_with_its_provenance_only_where_it_was_asked(stand_in, exam, hand):
    card = stand_in(IV)
    result = _result(Job("exam", "exam", ()), exam.captures(), [], hand.SETTINGS, ())
    (model,) = result.assessment.software.models
    assert (model.name, model.version, model.sha256) == ("grader", "1", card.sha256)
    assert (model.licence, model.trained_on, model.recovery) == ("Apache-2.0", "nobody", {})
    assert set(result.maps) == set(result.pictures)
    rest = _result(Job("rest", "photo", ()), exam.captures()[:1], [], hand.SETTINGS, ())
    assert rest.assessment.software.models == ()
    assert rest.maps == {}


@pytest.mark.parametrize(
    ("taken", "missing"),
    [
        ((E.REST,), "brow_raise, eyes_gentle, eyes_tight, smile_open (not taken)"),
        ((E.REST, E.SMILE_OPEN), "brow_raise, eyes_gentle, eyes_tight (not taken)"),
        ((E.REST, E.BROW_RAISE, E.EYES_GENTLE, E.SMILE_OPEN, E.SNARL), "eyes_tight (not taken)"),
    ],
)
def test_what_is_no_exam_has_no_grade_and_says_what_is_missing(stand_in, exam, hand, taken, missing):
    stand_in(IV)
    captures = [one for one in exam.captures() if one.capture.expression in taken]
    found = graded(exam, hand, captures)
    assert found.grade == Grade(
        withheld="The network grades whole exams and needs usable captures of rest, brow_raise, eyes_gentle, "
        f"eyes_tight, smile_open. Missing: {missing}. Take them, and name each by what it shows.",
        caution=CAUTION,
    )
    assert (found.models, found.maps, found.disagreement) == ((), {}, None)
    assert all(one.grade is None and one.maps == {} for one in found.captures)


@pytest.mark.parametrize("expression", NEEDED)
def test_an_unusable_capture_is_as_good_as_none(stand_in, exam, hand, expression):
    stand_in(IV)
    captures = [
        with_reasons(one, "The head is turned.", usable=False) if one.capture.expression is expression else one
        for one in exam.captures()
    ]
    withheld = graded(exam, hand, captures).grade.withheld
    assert f"Missing: {expression} (The head is turned)" in withheld
    usable = hand.capture(hand.Patient().face(expression).landmarks(), expression)
    assert graded(exam, hand, [*captures, usable]).grade.estimate == 4


def test_without_effort_there_is_no_grade(stand_in, exam, hand):
    """Five photos at rest under five names are no exam."""
    stand_in(IV)
    captures = [hand.capture(hand.Patient().face(E.REST).landmarks(), one) for one in NEEDED]
    withheld = graded(exam, hand, captures).grade.withheld
    assert "brow_raise, smile_open (no effort on the reference side" in withheld
    assert "eyes_gentle, eyes_tight (Both eyes are open" in withheld


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (ExamHeader(reference_side=ReferenceSide.BOTH), "The reference side is stated as both, but House-Brackmann"),
        (ExamHeader(reference_side=ReferenceSide.NONE), "The reference side is stated as none, but House-Brackmann"),
        (replace(HEADER, surgery="gracilis"), "operated on (gracilis); House-Brackmann is not defined"),
        (ExamHeader(surgery="gracilis"), "operated on (gracilis); House-Brackmann is not defined"),
        (replace(HEADER, phase="reanimated"), "The face was reanimated; House-Brackmann is not defined"),
    ],
)
def test_a_face_that_the_scale_is_not_defined_for_has_no_grade(stand_in, exam, hand, header, reason):
    stand_in(IV)
    found = graded(exam, hand, header=header).grade
    assert found.probabilities is None
    assert reason in found.withheld


@pytest.mark.parametrize(
    ("share", "pattern"),
    [
        ({E.SMILE_OPEN: 0.2, E.SNARL: 0.2}, "The forehead is spared"),
        ({E.BROW_RAISE: 0.2}, "The forehead alone is weaker"),
        ({E.BROW_RAISE: 0.2, E.SMILE_OPEN: 2.0}, "Zones are weaker on both sides"),
    ],
)
def test_a_pattern_that_the_scale_is_not_defined_for_has_no_grade(stand_in, exam, hand, share, pattern):
    stand_in(IV)
    patient = hand.Patient(share=share)
    captures = exam.captures(patient)
    rule = exam.assess(captures).scales["house_brackmann"].withheld
    found = graded(exam, hand, captures).grade
    assert found.withheld == rule
    assert found.withheld.startswith(pattern)
    assert found.withheld.endswith("House-Brackmann is not defined for it.")


def test_what_only_the_rule_needs_withholds_no_grade_and_is_said(stand_in, exam, hand):
    stand_in(IV)
    found = graded(exam, hand, header=ExamHeader()).grade
    assert found.estimate == 4
    (note,) = found.notes
    assert note.startswith("It was not checked whether this is a palsy of both sides, of one branch or a central one")
    assert "no reference side was named; give --reference-side" in note


def test_the_affected_side_and_the_maps_are_those_of_the_light(stand_in, exam, hand):
    """One of 255 brighter on the image's right: the sigmoid of 100 / 255 for each of the eight photos."""
    stand_in(IV)
    found = graded(exam, hand, lit(exam.captures(), 0, 1))
    assert found.grade.left_affected == pytest.approx(1 / (1 + np.exp(-800 / 255)), abs=0.01)
    found = graded(exam, hand, lit(exam.captures(), 0, 51))
    assert found.captures[0].grade.asymmetry == pytest.approx(
        dict.fromkeys(("face", "forehead", "eye", "nose", "mouth"), 51 / 255), abs=0.02
    )
    maps = found.maps[0]
    assert maps.picture.shape == (448, 448, 3)
    # The subject's left eye lies on the image's right, which is the bright side of the crop.
    assert (maps.picture[:, :220].max(), maps.picture[:, 230:].min()) == (0, 51)
    columns = np.flatnonzero(maps.regions["left_eye"].max(axis=0))
    assert columns.min() >= GRID // 2
    # The outer canthi lie 0.42 of the crop apart around its middle, 0.40 down (`face.align`).
    canthi = np.array(maps.landmarks.canthi())
    assert canthi[[0, 3]] == pytest.approx(np.array([(224 - 94.08, 179.2), (224 + 94.08, 179.2)]), abs=0.01)


def test_the_mirrored_exam_has_the_same_grade_and_the_other_side(stand_in, exam, hand):
    stand_in(IV)
    captures = lit(exam.captures(), 0, 2)
    header = replace(HEADER, reference_side=ReferenceSide.LEFT)
    mirrored = lit([hand.mirrored_capture(one) for one in captures], 2, 0)
    one, other = graded(exam, hand, captures), graded(exam, hand, mirrored, header)
    assert other.grade.probabilities == one.grade.probabilities
    assert other.grade.left_affected == pytest.approx(1 - one.grade.left_affected, abs=1e-3)
    for index, capture in enumerate(one.captures):
        assert other.captures[index].grade.asymmetry == pytest.approx(capture.grade.asymmetry, abs=1e-3)


def test_where_mirroring_is_not_known_the_grade_holds_and_the_sides_are_the_images(stand_in, exam, hand):
    stand_in(IV)
    known = graded(exam, hand, lit(exam.captures(), 0, 2))
    found = graded(exam, hand, lit(exam.captures(mirrored=Mirrored.UNKNOWN), 0, 2))
    assert found.grade.probabilities == known.grade.probabilities
    # The subject's left of an unmirrored picture is the image's right half.
    assert found.grade.left_affected == pytest.approx(1 - known.grade.left_affected, abs=1e-4)
    assert "it is not known whether the pictures are mirrored" in found.grade.notes[0]
    for side in Side:
        mine, other = found.maps[0].regions[f"{side}_eye"], known.maps[0].regions[f"{side.other}_eye"]
        np.testing.assert_array_equal(mine, other)


def test_means_are_taken_where_a_region_is(make_face):
    """Asymmetry 0.4 on the eyes' rows, 1 on the mouth's, 0 elsewhere; the left eye's map is nowhere half."""
    asymmetry = np.zeros((GRID, GRID), np.float32)
    asymmetry[PLACES["left_eye"][0]] = 0.4
    asymmetry[PLACES["mouth"][0]] = 1
    regions = {name: place(*PLACES[name]) for name in REGIONS}
    regions["left_eye"] = 0.4 * regions["left_eye"]
    regions["forehead"] = 0.49 * regions["forehead"]
    found = mean_asymmetry(FaceMaps(None, None, regions, 0.5 * place(*FACE), asymmetry))
    # Of the face's 13 rows three are the eyes' and three the mouth's; of the nose's three one is the eyes'.
    assert found == pytest.approx({"face": (3 * 0.4 + 3) / 13, "eye": 0.4, "nose": 0.4 / 3, "mouth": 1.0}, abs=1e-4)


def estimated(number=None, interval=None, withheld=None):
    return ScaleEstimate("house_brackmann", number, interval, (), withheld)


@pytest.mark.parametrize(
    ("grade", "rule", "said"),
    [
        (5, estimated(3.0), "V by the network (c), III by the rule"),
        (4, estimated(3.0), None),
        (1, estimated(3.0), "I by the network (c), III by the rule"),
        (4, estimated(interval=(2.0, 3.0)), None),
        (5, estimated(interval=(2.0, 3.0)), "V by the network (c), II to III by the rule"),
        (1, estimated(interval=(2.0, 6.0)), None),
        (3, estimated(interval=(1.0, 6.0)), None),
        (5, estimated(withheld="no exam"), None),
    ],
)  # fmt: skip
def test_more_than_one_grade_off_the_nearer_end_of_the_rule_is_a_disagreement(grade, rule, said):
    found = _disagreement(Grade(estimate=grade, withheld=None, caution="c"), rule)
    if said is None:
        assert found is None
    else:
        assert f"differ by more than one House-Brackmann grade: {said} from the measures." in found


def test_a_disagreement_reaches_the_assessment(stand_in, exam, hand):
    """Both sides move alike, which the rule grades I."""
    stand_in(IV)
    job = Job("exam", "exam", (), HEADER)
    assessment = _result(job, exam.captures(), [], hand.SETTINGS, ()).assessment
    assert assessment.scales["house_brackmann"].estimate == 1
    assert "IV by the network (trained on nobody, a stand-in), I by the rule" in assessment.disagreement
    stand_in((0.1, 0.5, 0.2, 0.1, 0.1, 0.0))
    assert _result(job, exam.captures(), [], hand.SETTINGS, ()).assessment.disagreement is None


def test_without_a_network_everything_else_is_as_it_was(stand_in, exam, hand):
    result = _result(Job("exam", "exam", (), HEADER), exam.captures(), [], hand.SETTINGS, ())
    assert result.assessment.grade == Grade(withheld="no grading network is installed")
    assert result.assessment.scales["house_brackmann"].estimate == 1
    assert (result.assessment.software.models, result.assessment.disagreement, result.maps) == ((), None, {})


def test_a_damaged_network_withholds_the_grade_alone(stand_in, exam, hand):
    stand_in(IV)
    (shipped.folder() / "grader.onnx").write_bytes(b"damaged")
    assessment = _result(Job("exam", "exam", (), HEADER), exam.captures(), [], hand.SETTINGS, ()).assessment
    assert "'grader.onnx' is damaged or another file" in assessment.grade.withheld
    assert assessment.scales["house_brackmann"].estimate == 1


def test_two_expressions_of_a_real_person_are_no_exam(stand_in, tmp_path):
    london = Path(os.environ.get("FACIALPALSY_ASSETS", "nowhere")) / "london"
    if not london.is_dir():
        pytest.skip("FACIALPALSY_ASSETS does not hold the London set")
    stand_in(IV)
    for folder, name in (("neutral_front", "rest"), ("smiling_front", "smile_open")):
        Image.open(sorted((london / folder).glob("*.jpg"))[0]).save(tmp_path / f"{name}.jpg", quality=95)
    settings = Settings(mirrored=Mirrored.NO, reference_side=ReferenceSide.RIGHT)
    (job,), _ = find_jobs([str(tmp_path)], settings)
    assessment = run_job(job, settings).assessment
    assert [one.quality.usable for one in assessment.captures] == [True, True]
    assert assessment.grade.probabilities is None
    assert "Missing: brow_raise, eyes_gentle, eyes_tight (not taken)" in assessment.grade.withheld
    assert [model.name for model in assessment.software.models] == ["own"]


def test_regions_have_the_order_of_the_network():
    roi = pytest.importorskip("facialpalsy.models.roi", reason="torch (extra train) is not installed")
    assert roi.REGIONS == REGIONS
