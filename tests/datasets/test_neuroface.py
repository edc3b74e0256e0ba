"""NeuroFace: frames with points, ratings of clips, groups by folder."""

import pytest

from facialpalsy.face import ReferenceSide

POINTS = "Frame," + ",".join(f"x{n},y{n}" for n in range(1, 69))
RATED = ["Symmetry", "ROM", "Speed", "Variability", "Fatigue", "Tot"]
HEADER = ["File Name", "Subject ID", *RATED, None, *RATED]


def points(*frames, count=136):
    return "\n".join([POINTS, *(f"{frame}," + ",".join(["1.5"] * count) for frame in frames)])


@pytest.fixture
def root(tmp_path, clip, text, workbook):
    root = tmp_path / "NeuroFace"
    clip(root / "ALS/Videos/A002_02_BBP_NORMAL_color.avi", frames=4)
    text(root / "ALS/Landmarks_gt/A002_02_BBP_NORMAL_color.txt", points(1, 3))
    clip(root / "Healthy controls/Videos/N001_03_NSM_KISS_color.avi")
    text(root / "Healthy controls/Landmarks_gt/N001_03_NSM_KISS_color.txt", points(0))
    clip(root / "Stroke/Videos/S003_05_NSM_BIGSMILE_color.avi")
    row = [4, 3, 3, 5, 5, 20]
    rows = [[None, None, "SLP1"], HEADER, ["A002_02_BBP_NORMAL_color", "A002", *row, None, 5, 5, 4, 4, 5, 23]]
    workbook(root / "ALS/ALS_SLP.xlsx", rows)
    return root


def test_only_frames_with_points_are_samples(root, read):
    found = read(root, "neuroface")
    assert list(found.samples) == [
        "ALS/Videos/A002_02_BBP_NORMAL_color.avi#1", "ALS/Videos/A002_02_BBP_NORMAL_color.avi#3",
        "Healthy controls/Videos/N001_03_NSM_KISS_color.avi#0",
    ]  # fmt: skip
    one = found.samples["ALS/Videos/A002_02_BBP_NORMAL_color.avi#3"]
    assert (one.subject, one.frame, one.landmarks.name) == ("A002", 3, "A002_02_BBP_NORMAL_color.txt")
    assert list(found.clips) == ["Stroke/Videos/S003_05_NSM_BIGSMILE_color.avi"]
    assert found.problems["image without label"] == ["Stroke/Videos/S003_05_NSM_BIGSMILE_color.avi"]


def test_both_raters_are_kept_and_nobody_gets_a_grade_side_or_expression(root, read):
    found = read(root, "neuroface")
    targets = found.samples["ALS/Videos/A002_02_BBP_NORMAL_color.avi#1"].targets
    assert targets["neuroface.symmetry.slp1"] == 4
    assert targets["neuroface.symmetry.slp2"] == 5
    assert targets["neuroface.tot.slp2"] == 23
    assert (targets["neuroface.group"], targets["neuroface.task"]) == ("ALS", "BBP_NORMAL")
    everyone = (*found.corpus.samples, *found.corpus.clips)
    assert {(one.grade, one.expression) for one in everyone} == {(None, None)}
    assert {one.subject: one.affected for one in everyone} == {
        "A002": ReferenceSide.UNKNOWN, "N001": ReferenceSide.NONE, "S003": ReferenceSide.UNKNOWN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "group"),
    [
        ("als", "ALS"), ("ALS_videos", "ALS"), ("HealthyControls", "Healthy Control"), ("HC", "Healthy Control"),
        ("Post-Stroke", "Post-Stroke"), ("post stroke data", "Post-Stroke"), ("trials", None), ("ALS and stroke", None),
    ],
)  # fmt: skip
def test_groups_are_told_in_any_spelling(tmp_path, read, clip, folder, group):
    clip(tmp_path / "set" / folder / "A002_02_NSM_OPEN_color.avi")
    found = read(tmp_path / "set", "neuroface")
    assert found.corpus.clips[0].targets.get("neuroface.group") == group


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (points(1, 1), "contradiction", "Line 3 repeats frame 1"),
        (points(1, -2), "unreadable label", "Line 3"),
        (points(1, 2.5), "unreadable label", "Line 3"),
        (points(1) + "\n2,3,4", "unreadable label", "Line 3"),
        (points(1) + "\nx" + points(2)[-200:], "unreadable label", "Line 3"),
    ],
)
def test_broken_lines_of_points_are_told(root, read, text, content, kind, words):
    path = text(root / "ALS/Landmarks_gt/A002_02_BBP_NORMAL_color.txt", content)
    found = read(root, "neuroface")
    assert [one.frame for one in found.corpus.samples if one.subject == "A002"] == [1]
    assert found.problems[kind] == [path.relative_to(root).as_posix()]
    assert found.said(words)


def test_points_and_ratings_without_a_clip_are_told(root, read, text, workbook):
    text(root / "Stroke/S009_01_NSM_BLOW_color.txt", points(0))
    workbook(root / "Stroke/SLP.xlsx", [HEADER, ["S009_01_NSM_BLOW", "S009", 1, 1, 1, 1, 1, 5]])
    found = read(root, "neuroface")
    assert found.problems["label without image"] == ["Stroke/SLP.xlsx", "Stroke/S009_01_NSM_BLOW_color.txt"]


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        ([6, 3, 3, 5, 5, 22], "impossible value", "symmetry.slp1 = '6'"),
        ([4, 3, 3, 5, 5, 19], "contradiction", "add up to 20"),
    ],
)
def test_impossible_ratings_are_told(root, read, workbook, row, kind, words):
    workbook(root / "ALS/ALS_SLP.xlsx", [HEADER, ["A002_02_BBP_NORMAL_color.avi", "A002", *row]])
    found = read(root, "neuroface")
    assert found.problems[kind] == ["ALS/ALS_SLP.xlsx"]
    assert found.said(words)


def test_other_files_are_left_aside_by_name(root, read, text, clip):
    clip(root / "ALS/Videos/calibration.avi")
    text(root / "readme.txt", "hello")
    assert read(root, "neuroface").problems["left aside"] == ["ALS/Videos/calibration.avi", "readme.txt"]
