"""Grade folders: the grade is the folder's, the person is read from the name by one rule."""

import pytest

from facialpalsy.datasets import read_corpus, recognise
from facialpalsy.datasets.grade_folders import rule_of
from facialpalsy.errors import CorpusError


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_people_and_grades(tmp_path):
    write(
        tmp_path, "grade_1/patient001_left.jpg", "grade_1/patient001_right.jpg", "Grade 2/p7-3.PNG",
        "grade_III/a.b.jpg",
        "grade_6/anna smith.jpg", "grade_6/visit 2/x.jpg", "grade_4/_left.jpg", "grade_5/notes.txt", "other/z.jpg",
    )  # fmt: skip
    corpus = read_corpus(tmp_path)
    found = {(one.key, one.subject, one.grade) for one in corpus.samples}
    assert found == {
        ("grade_1/patient001_left.jpg", "patient001", 1),
        ("grade_1/patient001_right.jpg", "patient001", 1),
        ("Grade 2/p7-3.PNG", "p7", 2),
        ("grade_III/a.b.jpg", "a", 3),
        ("grade_6/anna smith.jpg", "anna", 6),
        ("grade_6/visit 2/x.jpg", "visit 2", 6),
    }
    assert [one.path for one in corpus.problems] == ["grade_4/_left.jpg", "other"]
    assert all(one.expression is None and one.capture == "" for one in corpus.samples)
    assert "5 people in 6 photos" in rule_of(corpus)


def test_the_documents_folder_above(tmp_path):
    write(tmp_path, "FNP/grade_2/p1_left.jpg")
    assert read_corpus(tmp_path).samples[0].key == "FNP/grade_2/p1_left.jpg"


@pytest.mark.parametrize("name", ["grade_0", "grade_7", "grade_x", "GRADE-10"])
def test_what_is_no_grade_is_named(tmp_path, name):
    write(tmp_path, "grade_1/a.jpg", f"{name}/b.jpg")
    with pytest.raises(CorpusError, match=rf"'{name}' names no House-Brackmann grade"):
        read_corpus(tmp_path)


def test_other_folders_are_none(tmp_path):
    write(tmp_path, "Normals/a.jpg", "degrade_1/b.jpg")
    assert recognise(tmp_path) is None
