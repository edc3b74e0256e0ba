"""Exams: which prepared photos belong together, what is read of them, and what is left out."""

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from PIL import Image

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import PreparationError
from facialpalsy.face import IBUG68, ReferenceSide, Side
from facialpalsy.face.regions import face_regions
from facialpalsy.preparation import Prepared
from facialpalsy.training.exams import NOT_KNOWN, REGION_SIZE, UNKNOWN_REGION, Numbered, exams_of, join
from facialpalsy.training.targets import EXAM_TARGETS, PHOTO_TARGETS


@pytest.fixture
def row(tmp_path):
    """Makes a prepared row; its crop of 50 pixels is of the colour (10, 200, 30)."""
    crop = tmp_path / "crop.png"
    Image.fromarray(np.full((50, 50, 3), (10, 200, 30), np.uint8)).save(crop)

    def made(key, **changes):
        given = {"corpus": "c", "key": key, "subject": "anna", "grade": 3, "crops": {50: crop}}
        return Prepared(**{**given, **changes})

    return made


def keys(exams):
    return [[one.key for one in rows] for rows in exams.rows]


def test_photos_of_one_capture_are_one_exam(row):
    rows = [row("1", capture="x"), row("2", capture="y"), row("3", capture="x", expression=Expression.SNARL)]
    rows += [row("4", capture="x", subject="ben"), row("5", capture="x", corpus="d")]
    exams = exams_of(rows, 40)
    assert keys(exams) == [["1", "3"], ["2"], ["4"], ["5"]]
    assert [one.subject for one in exams.labels] == ["anna", "anna", "ben", "anna"]
    assert exams[0].expressions.tolist() == [NOT_KNOWN, list(Expression).index(Expression.SNARL)]


def test_without_a_capture_named_photos_join_and_others_are_alone(row):
    rows = [row("1"), row("2", expression=Expression.REST), row("3"), row("4", expression=Expression.SNARL)]
    assert keys(exams_of(rows, 40)) == [["1"], ["2", "4"], ["3"]]


def test_rows_without_grade_or_face_are_left_out_and_counted(row):
    exams = exams_of([row("1"), row("2", grade=None), row("3", crops={}), row("4", grade=None, crops={})], 40)
    assert keys(exams) == [["1"]] and exams.left_out == {"no grade": 2, "no face": 1}


def test_an_exam_of_two_grades_is_refused(row):
    with pytest.raises(PreparationError, match="'x' of 'anna' have the grades 3 and 4"):
        exams_of([row("1", capture="x"), row("2", capture="x", grade=4)], 40)


@pytest.mark.parametrize(
    ("affected", "side"),
    [((ReferenceSide.LEFT,) * 2, Side.LEFT), ((ReferenceSide.NONE,) * 2, None), ((ReferenceSide.BOTH,) * 2, None)],
)
def test_the_side_of_an_exam(row, affected, side):
    exams = exams_of([row(str(n), capture="x", affected=one) for n, one in enumerate(affected)], 40)
    assert exams[0].side is side


def test_photos_are_read_at_the_size_asked_for(row):
    exam = exams_of([row("1")], 40)[0]
    assert exam.images.shape == (1, 3, 40, 40) and exam.images.dtype is torch.uint8
    assert exam.images[0, :, 7, 9].tolist() == [10, 200, 30]


def test_of_several_crops_the_smallest_that_is_large_enough_is_read(row, tmp_path):
    crops = {}
    for size in (30, 60, 90):
        crops[size] = tmp_path / f"{size}.png"
        Image.fromarray(np.full((size, size, 3), size, np.uint8)).save(crops[size])
    rows = [row("1", crops=crops)]
    assert [int(exams_of(rows, size)[0].images[0, 0, 0, 0]) for size in (20, 30, 31, 200)] == [30, 30, 60, 90]


def test_a_crop_that_is_gone_is_named(row, tmp_path):
    with pytest.raises(PreparationError, match=r"'lost\.png' of '1'.*prepare"):
        exams_of([row("1", crops={50: tmp_path / "lost.png"})], 40)[0]


def test_regions_come_from_the_landmarks(row, make_face):
    face = make_face(IBUG68, zoom=0.2)  # in a picture of 60 pixels
    given = {"scheme": "ibug68", "points": face.points.astype(np.float32), "points_size": 60}
    regions = exams_of([row("1", **given)], 40)[0].regions[0].numpy()
    for number, mask in enumerate(face_regions(replace(face, points=face.points.round(4)), REGION_SIZE)):
        assert np.mean((regions == 1 + number) == mask) > 0.999
    assert set(np.unique(regions)) == set(range(6))


def test_without_landmarks_regions_and_truth_are_not_known(row):
    exam = exams_of([row("1", targets={"yfp.eyes": "StrongPalsy"})], 40)[0]
    assert (exam.regions == UNKNOWN_REGION).all()
    assert exam.photo_truth.isnan().all() and exam.exam_truth.isnan().all()


def test_labels_of_a_synthetic_corpus_become_truth(row):
    labels = {"synth.strength_AU12_left": 0.5, "synth.movement_snarl_right": 40.0}
    exam = exams_of([row("1", targets=labels)], 40)[0]
    assert exam.photo_truth[0, PHOTO_TARGETS.index("strength_AU12"), 0] == 0.5
    assert exam.exam_truth[EXAM_TARGETS.index("movement_snarl"), 1] == pytest.approx(math.asinh(4))


def test_a_batch_by_hand(noise_exams):
    exams = Numbered(noise_exams(6, first=3, photos=2))
    batch = join([exams[5], exams[1], exams[0]])
    assert batch.number.tolist() == [5, 1, 0]
    assert batch.exam.tolist() == [0, 0, 1, 1, 2, 2]
    assert batch.grade.tolist() == [2, 4, 3]  # exam 8 has grade III, 4 has V, 3 has IV
    assert batch.side.tolist()[:2] == [0, 1] and batch.side[2].isnan()
    torch.testing.assert_close(batch.images[2:4], exams[1][2].images)
    torch.testing.assert_close(batch.exam_truth[0], exams[5][2].exam_truth)
