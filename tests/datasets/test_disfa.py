"""DISFA: intensities by frame from 1, clips of two cameras."""

import pytest

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)


@pytest.fixture
def root(tmp_path, clip, text):
    root = tmp_path / "DISFA"
    for unit in UNITS:
        text(root / f"ActionUnit_Labels/SN001/SN001_au{unit}.txt", f"1,0\n2,{5 if unit == 12 else 0}\n3,0\n")
    clip(root / "Videos_LeftCamera/LeftVideoSN001_comp.avi")
    clip(root / "Videos_RightCamera/RightVideoSN001_comp.avi")
    return root


def test_frames_are_counted_from_zero_and_both_cameras_have_the_labels(root, read):
    found = read(root, "disfa")
    assert not found.corpus.problems
    assert len(found.samples) == 6
    for camera, name in (
        ("left camera", "Videos_LeftCamera/LeftVideo"),
        ("right camera", "Videos_RightCamera/RightVideo"),
    ):
        one = found.samples[f"{name}SN001_comp.avi#1"]
        assert (one.subject, one.frame, one.capture) == ("SN001", 1, camera)
        assert one.targets == {f"disfa.au{unit}": 5 if unit == 12 else 0 for unit in UNITS}
    assert found.samples["Videos_LeftCamera/LeftVideoSN001_comp.avi#0"].targets["disfa.au12"] == 0


@pytest.mark.parametrize("line", ["0,1", "2,1", "4,6", "4,-1", "4,0.5", "4", "4,1,1"])
def test_an_impossible_line_is_told_and_not_taken(root, read, text, line):
    path = text(root / "ActionUnit_Labels/SN001/SN001_au12.txt", f"1,0\n2,5\n3,0\n{line}\n")
    found = read(root, "disfa")
    assert len(found.samples) == 6
    assert found.samples["Videos_LeftCamera/LeftVideoSN001_comp.avi#1"].targets["disfa.au12"] == 5
    assert found.problems["impossible value"] == [path.relative_to(root).as_posix()]
    assert found.said("line 4")


def test_a_missing_unit_clip_or_label_is_told(root, read, text, clip):
    (root / "ActionUnit_Labels/SN001/SN001_au26.txt").unlink()
    text(root / "ActionUnit_Labels/SN002/SN002_au12.txt", "1,0\n")
    clip(root / "Videos_LeftCamera/LeftVideoSN003_comp.avi")
    found = read(root, "disfa")
    assert found.said("ActionUnit_Labels/SN001", "no files of AU 26")
    assert found.problems["label without image"] == ["ActionUnit_Labels/SN002"]
    assert list(found.clips) == ["Videos_LeftCamera/LeftVideoSN003_comp.avi"]


def test_a_camera_that_is_absent_is_a_note(root, read):
    (root / "Videos_RightCamera").rename(root / "unused")
    assert read(root, "disfa").problems["absent from the corpus"] == ["Videos_RightCamera"]
