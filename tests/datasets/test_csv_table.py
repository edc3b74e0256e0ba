"""CSV table: the list of the source document, with what its own code got wrong."""

import os

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets import read_corpus
from facialpalsy.datasets.csv_table import parse_grade
from facialpalsy.errors import CorpusError, InputNotFoundError, UsageError, WrongLayoutError
from facialpalsy.face import Mirrored, ReferenceSide


@pytest.fixture
def root(tmp_path, picture):
    for name in ("a", "b", "c"):
        picture(tmp_path / f"set/images/{name}.jpg")
    return tmp_path / "set"


@pytest.fixture
def table(root, read, text):
    """Write a table and read it."""

    def write(content, name="train.csv", **options):
        text(root / name, content)
        return read(root / name, "csv", **options)

    return write


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("image,subject\n", "Its first line names 'image,subject', but must name the column image_path"),
        ("", "Its first line is empty"),
    ],
)
def test_a_table_without_the_column_of_pictures_is_told_what_it_lacks(table, content, words):
    with pytest.raises(WrongLayoutError, match=words):
        table(content)


def test_a_workbook_is_no_table(root, text):
    with pytest.raises(WrongLayoutError, match=r"only if it is a table \.csv"):
        read_corpus(text(root / "t.xlsx", ""))


def test_a_clip_is_kept_whole_because_no_frame_of_it_is_named(table, root, clip):
    clip(root / "images/d.avi")
    found = table("image_path,subject,grade\nimages/a.jpg,p1,2\nimages/d.avi,p2,3\n")
    assert list(found.samples) == ["images/a.jpg"]
    assert {key: (one.subject, one.grade) for key, one in found.clips.items()} == {"images/d.avi": ("p2", 3)}


def test_pictures_that_no_table_names_are_told_in_every_folder_with_a_sample(table, root, picture):
    picture(root / "images/p3/d.jpg")
    picture(root / "holiday/e.jpg")
    found = table("image_path,subject\nimages/a.jpg,p1\nimages/b.jpg,p1\nimages/c.jpg,p1\n")
    assert dict(found.problems) == {"left aside": ["images/p3"]}
    assert found.said("1 picture or clip of this folder in no sample: d.jpg.")


def test_a_row_becomes_a_sample(table):
    found = table(
        "image_path,subject,grade,side,split,expression,capture,mirrored,camera\n"
        "images/a.jpg,p1,III,left,train,Smile open,visit 1,no,Canon\n"
        "images/b.jpg,p2,2,,valid,,,,\n"
    )
    one, other = found.corpus.samples
    assert (one.key, one.subject, one.grade, one.split, one.capture) == ("images/a.jpg", "p1", 3, "train", "visit 1")
    assert (one.affected, one.expression, one.mirrored) == (ReferenceSide.LEFT, Expression.SMILE_OPEN, Mirrored.NO)
    assert one.targets == {"csv.camera": "Canon"}
    assert (other.grade, other.split, other.affected) == (2, "val", ReferenceSide.UNKNOWN)
    assert [problem.kind.is_fault for problem in found.corpus.problems] == [False, False]
    assert found.said("unknown column 'camera'")
    assert found.said("images: 1 picture or clip of this folder in no sample: c.jpg")


@pytest.mark.parametrize(
    ("text", "grade"),
    [("1", 1), ("6", 6), ("3.0", 3), ("4,0", 4), ("I", 1), ("iv", 4), ("VI", 6)]
    + [(wrong, None) for wrong in ("0", "7", "0_3", "-1", "2.5", "VII", "", "nan", "inf", "grade 3")],
)
def test_grades_are_one_to_six_or_roman(text, grade):
    assert parse_grade(text) == grade


@pytest.mark.parametrize(("text", "grade"), [("0", 1), ("5", 6), ("6", None), ("III", None), ("-1", None)])
def test_grades_from_zero_are_moved_up_by_one_only_if_that_is_said(text, grade):
    assert parse_grade(text, zero_based=True) == grade


@pytest.mark.parametrize("grade", ["0", "7"])
def test_a_grade_out_of_range_is_a_row_with_its_line_and_the_picture_stays_without_one(table, grade):
    found = table(f"image_path,subject,grade\nimages/a.jpg,p1,3\nimages/b.jpg,p2,{grade}\n")
    assert [one.grade for one in found.corpus.samples] == [3, None]
    assert found.problems["impossible value"] == ["train.csv"]
    assert found.said("Line 3", f"'{grade}'", "1 to 6")
    assert found.said("--grades-from-zero") == (grade == "0")


def test_grades_from_zero(table):
    found = table(
        "image_path,subject,grade\nimages/a.jpg,p1,0\nimages/b.jpg,p1,5\nimages/c.jpg,p1,6\n", zero_based=True
    )
    assert [one.grade for one in found.corpus.samples] == [1, 6, None]
    assert found.said("Line 4", "0 to 5")


def test_without_a_column_for_people_the_table_is_refused(table):
    with pytest.raises(CorpusError, match=r"no column 'subject'.*--subject-from"):
        table("image_path,grade,side,split\nimages/a.jpg,3,left,train\n")


def test_a_rule_finds_the_person_in_the_file_name(table, picture, root):
    picture(root / "images/patient007_left.jpg")
    content = "image_path,grade\nimages/patient007_left.jpg,3\nimages/a.jpg,2\n"
    found = table(content, subject_from=r"patient(\d+)_")
    assert [one.subject for one in found.corpus.samples] == ["007"]
    assert found.said("Line 3", "Nothing says who is seen")
    assert found.corpus.samples[0].affected is ReferenceSide.UNKNOWN


def test_a_rule_beside_a_column_is_refused(table):
    with pytest.raises(UsageError, match="leave it out"):
        table("image_path,subject\nimages/a.jpg,p1\n", subject_from="(.)")


def test_a_missing_picture_an_empty_cell_and_too_many_cells_are_rows(table):
    found = table("image_path,subject,grade\nimages/x.jpg,p1,3\n,p1,3\nimages/a.jpg,,3\nimages/b.jpg,p1,3,4\n")
    assert not found.samples
    assert found.said("Line 2", "'images/x.jpg'")
    assert found.said("Line 3", "image_path is empty")
    assert found.said("Line 4", "who is seen")
    assert found.said("Line 5", "more cells")


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "images/../../secret.jpg", "/etc/secret.jpg", "C:\\x\\secret.jpg", "..\\secret.jpg"]
)
def test_a_path_that_leaves_the_root_is_refused_even_if_the_file_is_there(table, picture, root, name):
    picture(root.parent / "secret.jpg")
    found = table(f"image_path,subject\n{name},p1\nimages/a.jpg,p1\n")
    assert list(found.samples) == ["images/a.jpg"]
    assert found.problems["path outside the root"] == ["train.csv"]
    assert not found.said("etc")


def test_paths_are_below_the_data_root_if_it_is_given(tmp_path, root, read, text):
    list_ = text(tmp_path / "lists/all.csv", "image_path,subject\nimages/a.jpg,p1\n")
    assert list(read(list_, "csv", data_root=root).samples) == ["images/a.jpg"]
    assert read(list_, "csv").problems["label without image"] == ["all.csv"]
    with pytest.raises(InputNotFoundError, match="--data-root"):
        read(list_, "csv", data_root=root / "nowhere")


@pytest.mark.parametrize("column", ["side", "split", "expression", "mirrored"])
def test_an_unknown_word_costs_its_label_and_is_told(table, column):
    found = table(f"image_path,subject,{column}\nimages/a.jpg,p1,quite\n")
    assert len(found.samples) == 1
    assert found.said("Line 2", "'quite'")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_spreadsheets_save_is_read(root, read, encoding, separator):
    content = separator.join(("Image_Path", "Subject", "Grade")) + "\r\n" + separator.join(("images\\a.jpg", "Ж", "II"))
    (root / "t.csv").write_bytes(content.encode(encoding))
    sample = read(root, "csv").samples["images/a.jpg"]
    assert (sample.subject, sample.grade) == ("Ж", 2)


def test_a_folder_of_tables_is_read_as_one_and_a_picture_in_two_is_told(root, read, text):
    text(root / "train.csv", "image_path,subject,split\nimages/a.jpg,p1,train\n")
    text(root / "test.csv", "image_path,subject,split\nimages/a.jpg,p1,test\nimages/b.jpg,p2,test\n")
    text(root / "other.csv", "name,age\nx,3\n")
    found = read(root, "csv")
    assert len(found.samples) == 2
    assert found.problems["contradiction"] == ["images/a.jpg"]
    assert found.problems["left aside"] == ["other.csv", "images"]


@pytest.mark.parametrize(
    "content",
    ["image_path,subject,subject\na,b,c\n", 'image_path,subject\n"images/a.jpg,p1\n', "image_path,subject\n\udc80"],
)
def test_a_broken_table_is_a_named_error(root, read, content):
    (root / "t.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorpusError):
        read(root, "csv")


def test_a_table_larger_than_a_megabyte_is_read(root, read, text):
    rows = "".join(f"images/a{number}.jpg,person {number}\n" for number in range(45_000))
    text(root / "t.csv", "image_path,subject\nimages/a.jpg,p1\n" + rows)
    assert (root / "t.csv").stat().st_size > 1_000_000
    assert list(read(root, "csv").samples) == ["images/a.jpg"]


def test_a_header_that_only_looks_right_and_a_table_that_is_a_pipe_are_named(root, read, text):
    text(root / "t.csv", "my_image_path,subject\nimages/a.jpg,p1\n")
    with pytest.raises(CorpusError, match="no column 'image_path'"):
        read(root, "csv")
    os.mkfifo(root / "pipe.csv")
    with pytest.raises(WrongLayoutError):
        read(root / "pipe.csv", "csv")
