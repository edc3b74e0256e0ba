"""BP4D: codes by sequence, 9 for unknown, frame numbers in any padding."""

import pytest


@pytest.fixture
def root(tmp_path, picture, text):
    root = tmp_path / "BP4D"
    text(root / "AUCoding/AU_OCC/F001_T1.csv", "0,1,12\n2440,0,1\n2441,9,1\n")
    text(root / "AUCoding/AU_INT/AU12/F001_T1_AU12.csv", "2440,3\n2441,9\n")
    picture(root / "F001/T1/2440.jpg")
    picture(root / "F001/T1/02441.jpg")
    picture(root / "F001/T1/2442.jpg")
    return root


def test_numbers_are_compared_as_numbers_and_nine_is_left_out(root, read):
    found = read(root, "bp4d")
    assert {key: dict(one.targets) for key, one in found.samples.items()} == {
        "F001/T1/2440.jpg": {"bp4d.au1": 0, "bp4d.au12": 1, "bp4d.au12_intensity": 3},
        "F001/T1/02441.jpg": {"bp4d.au12": 1},
        "F001/T1/2442.jpg": {},
    }
    assert {(one.subject, one.capture) for one in found.corpus.samples} == {("F001", "T1")}
    assert found.said("F001/T1: 1 picture without codes")
    assert not any(problem.kind.is_fault for problem in found.corpus.problems)


def test_pictures_one_folder_deeper_are_found(root, read):
    (root / "2D").mkdir()
    (root / "F001").rename(root / "2D/F001")
    assert "2D/F001/T1/2440.jpg" in read(root, "bp4d").samples


def test_codes_without_pictures_are_told_once_for_a_sequence(root, read, text):
    text(root / "AUCoding/AU_OCC/M002_T3.csv", "0,12\n5,1\n6,0\n")
    found = read(root, "bp4d")
    assert found.problems["label without image"] == ["M002/T3"]
    assert found.said("M002/T3: No picture of 2 of 2 coded frames", "frame 5")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("0,1,12\n2440,0,1\n2441,7,1\n", "impossible value"),
        ("0,1,12\n2440,0,1\n2441,1\n", "impossible value"),
        ("0,1,12\n2440,0,1\n2441,x,1\n", "unreadable label"),
        ("", "unreadable label"),
        ("frame,AU1\n2440,1", "unreadable label"),
    ],
)
def test_broken_tables_are_told(root, read, text, content, kind):
    text(root / "AUCoding/AU_OCC/F001_T1.csv", content)
    found = read(root, "bp4d")
    assert "AUCoding/AU_OCC/F001_T1.csv" in found.problems[kind]
    assert "bp4d.au1" not in found.samples["F001/T1/02441.jpg"].targets


def test_two_pictures_of_one_number_and_odd_names_are_told(root, read, picture):
    picture(root / "F001/T1/002440.jpg")
    picture(root / "F001/T1/cover.jpg")
    found = read(root, "bp4d")
    assert len(found.samples) == 3
    assert len(found.problems["contradiction"]) == 1
    assert found.problems["left aside"] == ["F001/T1/cover.jpg"]
