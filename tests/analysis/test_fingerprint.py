"""Fingerprint: whatever could change a result changes it, and nothing else does."""

from dataclasses import replace

import pytest

from facialpalsy.analysis.fingerprint import fingerprint
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Job, Settings
from facialpalsy.assessment import Assessment, Failure, Software
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Mirrored, ReferenceSide


@pytest.fixture
def job(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "points.json").write_bytes(b"points")
    (tmp_path / "ratings.csv").write_bytes(b"item,value,rater")
    request = CaptureRequest(
        tmp_path / "a.jpg", "a.jpg", Expression.REST, Mirrored.NO, landmarks=tmp_path / "points.json"
    )
    return Job("a", "exam", (request,), ExamHeader(), ratings=tmp_path / "ratings.csv")


def mark(job, settings=None, *, photos=True, earlier=None):
    return fingerprint(job, settings or Settings(), photos=photos, earlier=earlier)


def test_it_is_the_same_for_the_same_and_for_a_copy_elsewhere(job, tmp_path):
    (tmp_path / "copy").mkdir()
    moved = tmp_path / "copy" / "a.jpg"
    moved.write_bytes(b"one")
    copy = replace(job, captures=(replace(job.captures[0], path=moved),))
    assert mark(job) == mark(job) == mark(copy)


@pytest.mark.parametrize("file", ["a.jpg", "points.json", "ratings.csv"])
def test_every_input_file_counts(job, tmp_path, file):
    before = mark(job)
    (tmp_path / file).write_bytes(b"two")
    changed = mark(job)
    assert changed != before
    (tmp_path / file).unlink()
    assert mark(job) not in (before, changed)


def test_everything_asked_for_counts(job):
    request = job.captures[0]
    norms = Settings().norms
    marks = [
        mark(job),
        mark(job, photos=False),
        mark(job, Settings(iris_mm=12)),
        mark(job, Settings(every=0.5)),
        mark(job, Settings(engine="face-landmarker")),
        mark(job, Settings(max_megapixels=50)),
        mark(job, Settings(norms=replace(norms, closed_fissure=0.02))),
        mark(replace(job, header=ExamHeader(reference_side=ReferenceSide.LEFT))),
        mark(replace(job, header=ExamHeader(date="2026-03-01"))),
        mark(replace(job, ratings=None)),
        mark(replace(job, kind="photo")),
        mark(replace(job, captures=(replace(request, expression=Expression.SNARL),))),
        mark(replace(job, captures=(replace(request, mirrored=Mirrored.YES),))),
        mark(replace(job, captures=(replace(request, landmarks=None),))),
        mark(replace(job, captures=(request, request))),
        mark(replace(job, failures=(Failure(source="b", error="E", message="gone"),))),
        mark(job, earlier=Assessment(software=Software(version="0"), fingerprint="f")),
    ]
    assert len(set(marks)) == len(marks)
