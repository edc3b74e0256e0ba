"""CK+: sequences with the labels of their last frame."""

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import ReferenceSide

POINTS = "\n".join(f"   {1.5 * n:.7e}   {2.5 * n:.7e}" for n in range(68))
STEM = "S005_001_0000000"


@pytest.fixture
def root(tmp_path, picture, text):
    root = tmp_path / "CK"
    for number in (1, 2, 3):
        picture(root / f"cohn-kanade-images/S005/001/{STEM}{number}.png", grey=True)
        text(root / f"Landmarks/S005/001/{STEM}{number}_landmarks.txt", POINTS)
    text(root / f"Emotion/S005/001/{STEM}3_emotion.txt", "   3.0000000e+00\n")
    text(root / f"FACS/S005/001/{STEM}3_facs.txt", "   1.2000000e+01   4.0000000e+00\n   2.5e+01   0.0e+00\n")
    (root / "Emotion/S005/002").mkdir()
    (root / "cohn-kanade-images/.DS_Store").touch()
    return root


def test_labels_belong_to_the_frame_they_name(root, read):
    samples = list(read(root, "ckplus").samples.values())
    assert [one.key[-6:-4] for one in samples] == ["01", "02", "03"]
    assert [one.expression for one in samples] == [Expression.REST, None, None]
    assert [one.targets["ckplus.frame"] for one in samples] == ["first", "between", "last"]
    assert samples[2].targets == {
        "ckplus.frame": "last", "ckplus.emotion": "3", "ckplus.au12": 4.0, "ckplus.au25": 0.0,
    }  # fmt: skip
    assert set(samples[1].targets) == {"ckplus.frame"}
    assert samples[1].landmarks is not None


def test_nobody_has_a_side_a_grade_or_is_called_healthy(root, read):
    for sample in read(root, "ckplus").corpus.samples:
        assert (sample.affected, sample.grade) == (ReferenceSide.UNKNOWN, None)
        assert (sample.subject, sample.capture) == ("S005", "001")


def test_a_sound_tree_has_no_problems(root, read):
    assert not read(root, "ckplus").corpus.problems


def test_the_folders_of_the_archives_are_found(root, read, tmp_path):
    nested = tmp_path / "nested"
    for outer, inner in (
        ("extended-cohn-kanade-images", "cohn-kanade-images"), ("Emotion_labels", "Emotion"),
        ("FACS_labels", "FACS"), ("Landmarks", "Landmarks"),
    ):  # fmt: skip
        (nested / outer).mkdir(parents=True)
        (root / inner).rename(nested / outer / inner)
    found = read(nested, "ckplus")
    assert not found.corpus.problems
    assert list(found.samples.values())[2].targets["ckplus.emotion"] == "3"


def test_an_empty_facs_file_is_a_note(root, read, text):
    text(root / f"FACS/S005/001/{STEM}3_facs.txt", "")
    found = read(root, "ckplus")
    assert found.problems == {"absent from the corpus": [f"FACS/S005/001/{STEM}3_facs.txt"]}
    assert not any(one.kind.is_fault for one in found.corpus.problems)


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        (f"Emotion/S005/001/{STEM}3_emotion.txt", "8", "impossible value"),
        (f"Emotion/S005/001/{STEM}3_emotion.txt", "2.5", "impossible value"),
        (f"Emotion/S005/001/{STEM}3_emotion.txt", "happy", "unreadable label"),
        (f"Emotion/S005/001/{STEM}3_emotion.txt", "nan", "unreadable label"),
        (f"Emotion/S005/001/{STEM}9_emotion.txt", "3", "label without image"),
        (f"FACS/S005/001/{STEM}3_facs.txt", "12 6", "impossible value"),
        (f"FACS/S005/001/{STEM}3_facs.txt", "12", "impossible value"),
        (f"FACS/S005/001/{STEM}3_facs.txt", "1e300 2", "impossible value"),
        (f"Landmarks/S005/001/{STEM}2_landmarks.txt", POINTS[:900], "unreadable label"),
    ],
)
def test_a_broken_label_is_a_row_and_the_picture_stays(root, read, text, path, content, kind):
    text(root / path, content)
    found = read(root, "ckplus")
    assert len(found.samples) == 3
    assert path in found.problems[kind]


def test_points_that_are_no_face_are_not_handed_on(root, read, text):
    text(root / f"Landmarks/S005/001/{STEM}2_landmarks.txt", "1 2\n3 4")
    assert [one.landmarks is None for one in read(root, "ckplus").corpus.samples] == [False, True, False]


def test_missing_label_folders_are_told(root, read):
    (root / "FACS").rename(root / "unused")
    assert read(root, "ckplus").problems["absent from the corpus"] == ["FACS"]
