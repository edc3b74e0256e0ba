"""MEEI: severities as folders in several spellings, poses by number, sides from a workbook."""

import os

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import ReferenceSide

HEADER = ["Sub-category", "Category", "#", "Side", "Gender", "Age"]
ROWS = [
    HEADER,
    ["Complete", "Flaccid", 1, "L", "F", 44],
    ["Severe ", "Synkinetic", 1, "Right", "M", 51.0],
    ["NearNormal", "Synkinetic", 2, None, "F", None],
    [None, "Normal", 8, None, "M", 30],
]
COMPLETE = "Flaccid/CompleteFlaccid/CompleteFlaccid1"
SEVERE = "Synkinetic/Severe Synkinetic/Synkinetic_Severe1"
NEAR = "Synkinetic/NearNormalSynkinetic/Synkinetic_NearNormal2"


@pytest.fixture
def root(tmp_path, picture, clip, workbook):
    root = tmp_path / "MEEI_Standard_Set"
    for pose in range(1, 9):
        picture(root / f"{COMPLETE}/CompleteFlaccid1_{pose}.{'JPG' if pose < 8 else 'tif'}")
    clip(root / f"{COMPLETE}/CompleteFlaccid1.mp4")
    picture(root / f"{SEVERE}/Synkinetic_Severe1_7.jpg")
    picture(root / f"{NEAR}/Synkinetic_NearNormal2_2.jpg")
    picture(root / "Normals/Normal8/Normal8_1.jpg")
    workbook(root / "pat_info.xlsx", ROWS)
    return root


def test_poses_are_expressions_in_any_ending(root, read):
    samples = [one for one in read(root, "meei").corpus.samples if one.subject == "CompleteFlaccid1"]
    assert [one.expression for one in samples] == [
        Expression.REST, Expression.BROW_RAISE, Expression.EYES_GENTLE, Expression.EYES_TIGHT,
        Expression.SMILE_CLOSED, Expression.SMILE_OPEN, Expression.PUCKER, Expression.LOWER_TEETH,
    ]  # fmt: skip


def test_sides_and_categories_come_from_table_and_folders_and_no_grade_from_either(root, read):
    found = read(root, "meei")
    assert {one.subject: one.affected for one in found.corpus.samples} == {
        "CompleteFlaccid1": ReferenceSide.LEFT, "Synkinetic_Severe1": ReferenceSide.RIGHT,
        "Synkinetic_NearNormal2": ReferenceSide.UNKNOWN, "Normal8": ReferenceSide.NONE,
    }  # fmt: skip
    assert found.samples[f"{SEVERE}/Synkinetic_Severe1_7.jpg"].targets == {
        "meei.category": "Synkinetic", "meei.severity": "Severe", "meei.gender": "M", "meei.age": 51.0,
    }  # fmt: skip
    assert found.samples["Normals/Normal8/Normal8_1.jpg"].targets["meei.category"] == "Normal"
    assert found.samples[f"{NEAR}/Synkinetic_NearNormal2_2.jpg"].targets["meei.severity"] == "NearNormal"
    assert all(one.grade is None for one in found.corpus.samples)


def test_folders_that_bear_numbers_alone_are_several_people(tmp_path, picture, read):
    for folder in ("Normals/1", "Flaccid/Mild/1", "Flaccid/Severe/1"):
        picture(tmp_path / folder / "1_1.jpg")
    assert [one.subject for one in read(tmp_path, "meei").corpus.samples] == ["1", "Mild Flaccid 1", "Severe Flaccid 1"]


def test_clips_are_kept_apart_because_no_frame_of_them_has_a_pose(root, read):
    found = read(root, "meei")
    assert list(found.clips) == [f"{COMPLETE}/CompleteFlaccid1.mp4"]
    assert found.clips[f"{COMPLETE}/CompleteFlaccid1.mp4"].affected is ReferenceSide.LEFT


def test_an_absent_side_is_a_note(root, read):
    found = read(root, "meei")
    assert [(one.kind.value, one.kind.is_fault) for one in found.corpus.problems] == [("absent from the corpus", False)]
    assert found.said("pat_info.xlsx: Row 4", "none is known")


def test_a_person_whom_the_table_lacks_is_kept_without_a_side(root, read, picture):
    picture(root / "Flaccid/MildFlaccid/MildFlaccid3/MildFlaccid3_1.jpg")
    found = read(root, "meei")
    assert found.samples["Flaccid/MildFlaccid/MildFlaccid3/MildFlaccid3_1.jpg"].affected is ReferenceSide.UNKNOWN
    assert "Flaccid/MildFlaccid/MildFlaccid3" in found.problems["absent from the corpus"]


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        (["Mild", "Flaccid", 9, "L", "F", 3], "label without image", "Mild Flaccid 9"),
        (["Complete", "Flaccid", 1, "R", "F", 44], "contradiction", "Row 6"),
        (["Severe", "Synkinetic", 1, "up", "M", 51], "impossible value", "'up'"),
        (["Total", "Paralysis", 1, "L", "M", 51], "unreadable label", "Row 6"),
        (["Severe", "Synkinetic", None, "L", "M", 51], "unreadable label", "Row 6"),
    ],
)
def test_a_wrong_row_of_the_table_is_told(root, read, workbook, row, kind, words):
    workbook(root / "pat_info.xlsx", [*ROWS, row])
    found = read(root, "meei")
    assert found.problems[kind] == ["pat_info.xlsx"]
    assert found.said(words)


def test_rows_that_contradict_each_other_give_no_side(root, read, workbook):
    workbook(root / "pat_info.xlsx", [*ROWS, ["Complete", "Flaccid", 1, "R", "F", 44]])
    sample = read(root, "meei").samples[f"{COMPLETE}/CompleteFlaccid1_1.JPG"]
    assert sample.affected is ReferenceSide.UNKNOWN


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"Sub-category,Category"])
def test_a_table_that_is_no_workbook_costs_the_sides_alone(root, read, content):
    (root / "pat_info.xlsx").write_bytes(content)
    found = read(root, "meei")
    assert len(found.samples) == 11
    assert found.problems["unreadable label"] == ["pat_info.xlsx"]


def test_without_a_table_or_a_folder_the_rest_is_read(root, read):
    (root / "pat_info.xlsx").unlink()
    (root / "Normals").rename(root / "unused")
    found = read(root, "meei")
    assert len(found.samples) == 10
    assert {"pat_info.xlsx", "Normals"} <= set(found.problems["absent from the corpus"])


def test_names_without_a_pose_and_folders_without_a_person_are_told(root, read, picture):
    picture(root / "Normals/Normal8/Normal8_9.jpg")
    picture(root / "Normals/Normal8/front.jpg")
    picture(root / "Flaccid/legend.jpg")
    found = read(root, "meei")
    assert found.samples["Normals/Normal8/Normal8_9.jpg"].expression is None
    assert found.samples["Normals/Normal8/front.jpg"].expression is None
    assert found.problems["no subject"] == ["Flaccid/legend.jpg"]


def test_a_table_that_is_a_pipe_is_not_waited_for(root, read):
    (root / "pat_info.xlsx").unlink()
    os.mkfifo(root / "pat_info.xlsx")
    assert read(root, "meei").problems["unreadable label"] == ["pat_info.xlsx"]
