"""Synthetic exams: the people of the stream, kept once, and a training on them that learns to tell sides."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("numba")

import torch

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import AssetNotInstalledError, PreparationError, SyntheticPatientError
from facialpalsy.face import align
from facialpalsy.face.regions import FACE_REGIONS, face_regions
from facialpalsy.models.registry import PRESETS
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.stream import PatientStream
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import REGION_SIZE
from facialpalsy.training.grader import fit_grader
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.targets import PHOTO_TARGETS

SEED = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    try:
        face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
    return tmp_path_factory.mktemp("exams")


def test_the_people_are_those_of_the_stream(folder):
    exams, stream = SyntheticExams(SEED, "a", 2, 64, folder / "64"), PatientStream(seed=SEED)
    assert len(exams) == 2
    exam = exams[1]
    for number, expression in enumerate(Expression):
        picture = stream.picture(9 + number)
        assert picture.shot.take.expression is expression
        crop, landmarks = align(picture.frame.pixels, picture.landmarks, 64)
        np.testing.assert_array_equal(exam.images[number].permute(1, 2, 0).numpy(), crop)
        left, right = exam.photo_truth[number, PHOTO_TARGETS.index("strength_AU12")].tolist()
        assert (left, right) == pytest.approx(picture.face.strengths.get("AU12", (0.0, 0.0)), abs=1e-6)
        eyes = exam.regions[number].numpy() == 1 + FACE_REGIONS.index("left_eye")
        expected = face_regions(landmarks, REGION_SIZE)[1]
        assert (eyes & expected).sum() / (eyes | expected).sum() > 0.5
    patient = picture.shot.patient
    assert exams.labels[1].subject == patient.subject
    assert exam.side == patient.palsy.side
    assert exam.expressions.tolist() == list(range(9))


def test_a_posed_exam_is_the_rendered_one_without_its_pictures(folder):
    exams = SyntheticExams(SEED, "c", 1, 64, folder / "c")
    posed, rendered = exams.posed(0), exams[0]
    assert len(posed.images) == len(rendered.images) and posed.images.numel() == 0
    assert posed.side == rendered.side
    # What is kept of a rendered exam is rounded to six decimals, which counts more on a logarithmic scale.
    for name in ("expressions", "exam_truth", "photo_truth", "units", "centres", "points"):
        np.testing.assert_allclose(getattr(posed, name), getattr(rendered, name), atol=1e-4, err_msg=name)


def test_an_exam_is_rendered_once(folder):
    exams = SyntheticExams(SEED, "a", range(1, 2), 64, folder / "64")
    first = exams[0]
    (file,) = (folder / "64").glob("00001.npz")
    before = file.stat().st_mtime_ns
    assert all(torch.equal(one, other) for one, other in zip(first[:4], exams[0][:4], strict=True))
    assert file.stat().st_mtime_ns == before
    file.write_bytes(file.read_bytes()[:1000])  # a disk that was full
    again = exams[0]
    assert torch.equal(again.images, first.images) and file.stat().st_mtime_ns != before


def test_a_folder_of_other_people_is_refused(folder):
    SyntheticExams(SEED, "a", 1, 64, folder / "64")[0]
    with pytest.raises(PreparationError, match=r"'a7-00000' at 64 pixels; 'a8-00000' at 64 or more is wanted"):
        SyntheticExams(SEED + 1, "a", 1, 64, folder / "64")[0]
    with pytest.raises(PreparationError, match="at 64 pixels; 'a7-00000' at 80 or more is wanted"):
        SyntheticExams(SEED, "a", 1, 80, folder / "64")[0]


def test_impossible_people_are_refused(tmp_path):
    with pytest.raises(SyntheticPatientError, match="at least one"):
        SyntheticExams(SEED, "a", 0, 64, tmp_path)
    with pytest.raises(SyntheticPatientError, match="a, b and c"):
        SyntheticExams(SEED, "d", 1, 64, tmp_path)


class Chosen:
    """The exams of some grades among others."""

    def __init__(self, exams, grades, start, stop):
        self.exams = exams
        self.places = [place for place, label in enumerate(exams.labels) if label.grade in grades][start:stop]
        self.labels = [exams.labels[place] for place in self.places]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, number):
        return self.exams[self.places[number]]


def test_a_minute_of_training_tells_the_affected_side_of_people_never_seen(folder):
    """48 people of grade IV to VI for 16 epochs; the last epoch on 24 others against naming the more common side.

    Grades take longer than a test may. No epoch is chosen here, so the validation people are held out.
    """
    people = SyntheticExams(SEED, "a", 240, 80, folder / "80")
    train, held_out = Chosen(people, (4, 5, 6), 24, 72), Chosen(people, (4, 5, 6), 0, 24)
    spec = replace(PRESETS["tiny"], image_size=64, patch_size=8)
    config = GraderTraining(spec=spec, epochs=16, batch_size=4, learning_rate=2e-3, ema=0.9, num_workers=2)
    found = fit_grader(config, train, held_out, folder / "model", folder / "logs", accelerator="cpu", devices=1)
    sides = Counter(train[number].side for number in range(len(train)))
    majority = np.mean([held_out[number].side is sides.most_common(1)[0][0] for number in range(len(held_out))])
    assert found.history[-1]["val_side_3_to_6"] >= max(0.8, majority + 0.2)
