"""AFLFP: pictures with .pts files beside them, and a rule for who is seen."""

import numpy as np
import pytest

from facialpalsy.datasets import read_pts
from facialpalsy.errors import LandmarkFileError, UsageError

PTS = "version: 1\nn_points: {count}\n{{\n{points}\n}}\n"


def pts(count=68, said=None):
    return PTS.format(count=count if said is None else said, points="\n".join(f"{n}.5 {2 * n}" for n in range(count)))


@pytest.fixture
def root(tmp_path, picture, text):
    root = tmp_path / "AFLFP"
    picture(root / "AFLFP/P01/smile/a.JPG")
    text(root / "AFLFP/P01/smile/a.pts", pts())
    picture(root / "AFLFP/P02/smile/a.jpg")
    text(root / "AFLFP/P02/smile/A.PTS", pts())
    return root


def test_the_first_folder_is_the_person_also_in_a_doubled_one(root, read):
    found = read(root, "aflfp")
    assert [(one.subject, one.capture, one.landmarks.name) for one in found.corpus.samples] == [
        ("P01", "smile", "a.pts"), ("P02", "smile", "A.PTS"),
    ]  # fmt: skip
    assert dict(found.problems) == {"absent from the corpus": ["."]}
    assert found.said("there are 2 people", "--subject-from")


@pytest.mark.parametrize("rule", [r"smile/(.)\.", r"(?P<subject>a)\.(JPG|jpg)"])
def test_another_rule_is_the_users(root, read, rule):
    assert {one.subject for one in read(root, "aflfp", subject_from=rule).corpus.samples} == {"a"}


def test_a_rule_that_names_several_people_leaves_nothing_to_ask(root, read):
    assert not read(root, "aflfp", subject_from=r"/(P\d+)/").corpus.problems


def test_one_person_alone_is_asked_about(root, read):
    assert read(root, "aflfp", subject_from="smile/(a)").said("there is 1 person", "--subject-from")


def test_where_the_rule_finds_nobody_there_is_a_row_and_no_sample(root, read):
    found = read(root, "aflfp", subject_from=r"/(P01)/")
    assert [one.subject for one in found.corpus.samples] == ["P01"]
    assert found.problems["no subject"] == ["AFLFP/P02/smile/a.jpg"]


@pytest.mark.parametrize("rule", ["(", "P0.", "(P)(0)"])
def test_a_wrong_rule_is_refused(root, read, rule):
    with pytest.raises(UsageError, match="--subject-from"):
        read(root, "aflfp", subject_from=rule)


def test_lonely_files_are_rows(root, read, picture, text):
    text(root / "AFLFP/P01/smile/b.pts", pts())
    picture(root / "AFLFP/P01/smile/c.jpg")
    found = read(root, "aflfp")
    assert found.problems["label without image"] == ["AFLFP/P01/smile/b.pts"]
    assert found.problems["image without label"] == ["AFLFP/P01/smile/c.jpg"]
    assert found.samples["AFLFP/P01/smile/c.jpg"].landmarks is None


def test_points_are_read_as_written(tmp_path, text):
    points = read_pts(text(tmp_path / "a.pts", pts()))
    assert points.shape == (68, 2)
    assert np.array_equal(points[3], (3.5, 6))


@pytest.mark.parametrize(
    "content", ["", "1 2", pts(68, said=67), pts().replace("5.5", "nan"), pts()[:300], pts().replace("5.5", "")]
)
def test_broken_points_are_told_and_not_handed_on(root, read, text, content):
    text(root / "AFLFP/P01/smile/a.pts", content)
    with pytest.raises(LandmarkFileError):
        read_pts(root / "AFLFP/P01/smile/a.pts")
    found = read(root, "aflfp")
    assert found.samples["AFLFP/P01/smile/a.JPG"].landmarks is None
    assert found.problems["unreadable label"] == ["AFLFP/P01/smile/a.pts"]


def test_another_number_of_points_is_no_face_of_the_set(root, read, text):
    text(root / "AFLFP/P01/smile/a.pts", pts(5))
    assert read(root, "aflfp").problems["impossible value"] == ["AFLFP/P01/smile/a.pts"]
