"""Exam table: every column of `exam.csv` read, every fault of it named."""

from datetime import date, timedelta

import pytest

from facialpalsy.analysis import Settings, find_jobs
from facialpalsy.analysis.exam_table import read_exam_table
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import ExamError
from facialpalsy.face import Mirrored, ReferenceSide

E = Expression

EVERYTHING = """file,expression,mirrored,subject,date,phase,surgery,reference_side,iris_mm,ruler_mm
a.jpg,rest,no,P7,2026-03-01,recovering,none so far,left,"12,1",92.5
sub/b.jpg,smile_open,yes,P7,,,,,,
c_snarl.jpg,,,,,,,,,
"""


@pytest.fixture
def folder(tmp_path):
    """An exam's folder with three pictures and the table that is asked for."""
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "sub/b.jpg", "c_snarl.jpg"):
        (tmp_path / name).touch()

    def make(table):
        data = table if isinstance(table, bytes) else table.encode()
        (tmp_path / "exam.csv").write_bytes(data)
        return tmp_path

    return make


def test_every_column_is_read(folder):
    header, rows, failures = read_exam_table(folder(EVERYTHING))
    assert (header.subject, header.date, header.phase, header.surgery) == (
        "P7",
        "2026-03-01",
        "recovering",
        "none so far",
    )
    assert (header.reference_side, header.iris_mm, header.ruler_mm) == (ReferenceSide.LEFT, 12.1, 92.5)
    assert [(row.path.name, row.expression, row.mirrored) for row in rows] == [
        ("a.jpg", E.REST, Mirrored.NO), ("b.jpg", E.SMILE_OPEN, Mirrored.YES), ("c_snarl.jpg", E.SNARL, None),
    ]  # fmt: skip
    assert failures == []


def test_a_table_makes_an_exam_and_rules_over_the_settings(folder):
    settings = Settings(mirrored=Mirrored.UNKNOWN, reference_side=ReferenceSide.RIGHT)
    (job,), errors = find_jobs([folder(EVERYTHING)], settings)
    assert errors == []
    assert job.kind == "exam"
    # `sub/b.jpg` is not taken a second time as a picture of its own.
    assert [one.mirrored for one in job.captures] == [Mirrored.NO, Mirrored.YES, Mirrored.UNKNOWN]
    assert job.header.reference_side is ReferenceSide.LEFT


def test_settings_fill_what_the_table_leaves_open(folder):
    settings = Settings(mirrored=Mirrored.YES, reference_side=ReferenceSide.RIGHT, expression=E.PUCKER)
    (job, _), _ = find_jobs([folder("file\na.jpg\n")], settings)
    assert [(one.mirrored, one.expression) for one in job.captures] == [(Mirrored.YES, E.PUCKER)]
    assert job.header.reference_side is ReferenceSide.RIGHT


@pytest.mark.parametrize(
    "encoded", [b"\xef\xbb\xbfFile , Expression\r\n a.jpg ,  REST \r\n\r\n", b"expression,file\nrest,a.jpg"]
)
def test_spaces_case_byte_order_mark_and_line_ends_do_not_matter(folder, encoded):
    _, rows, failures = read_exam_table(folder(encoded))
    assert [(row.path.name, row.expression) for row in rows] == [("a.jpg", E.REST)]
    assert failures == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_other_countries_spreadsheets_save_is_the_same_table(folder, encoding, separator):
    # Where the comma is for decimals, semicolons part the cells; Unicode text of spreadsheets is UTF-16 with tabs.
    table = EVERYTHING.replace('"12,1"', "12;1").replace(",", separator).replace("12;1", "12,1")
    found = read_exam_table(folder(table.encode(encoding)))
    assert found == read_exam_table(folder(EVERYTHING))
    assert (found[0].iris_mm, found[0].subject) == (12.1, "P7")


def test_files_of_subfolders_may_be_written_as_on_windows(folder):
    _, rows, failures = read_exam_table(folder("file,expression\nsub\\b.jpg,rest\nsub\\gone.jpg,rest\n"))
    assert [row.path for row in rows] == [folder("").joinpath("sub", "b.jpg")]
    assert [failure.source for failure in failures] == ["sub\\gone.jpg"]
    assert "names 'sub/gone.jpg', but there is no such file" in failures[0].message


def test_a_backslash_in_a_files_own_name_is_part_of_it(folder):
    odd = folder("file,expression\na\\b.jpg,rest\n") / "a\\b.jpg"
    odd.touch()
    assert [row.path for row in read_exam_table(odd.parent)[1]] == [odd]


@pytest.mark.parametrize("word", ["none", "no", "-", "0", "None", " NO "])
def test_words_for_no_surgery_are_none(folder, word):
    header, _, _ = read_exam_table(folder(f"file,surgery\na.jpg,{word}\n"))
    assert header.surgery is None


def test_a_date_in_the_future_is_refused_but_not_tomorrow_which_is_today_elsewhere(folder):
    day = date.today()
    for ahead in (0, 1):
        header, _, _ = read_exam_table(folder(f"file,date\na.jpg,{day + timedelta(days=ahead)}\n"))
        assert header.date == str(day + timedelta(days=ahead))
    with pytest.raises(ExamError, match=r"the date '\d{4}-\d\d-\d\d', which lies in the future; correct it"):
        read_exam_table(folder(f"file,date\na.jpg,{day + timedelta(days=2)}\n"))


@pytest.mark.parametrize("empty", ["", ",,,,", "  ,"])
def test_empty_cells_at_the_end_of_a_row_are_not_too_many(folder, empty):
    _, rows, failures = read_exam_table(folder(f"file,expression,,\na.jpg,rest{empty}\n"))
    assert ([row.expression for row in rows], failures) == ([E.REST], [])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file,expresion\na.jpg,rest\n", ["unknown column 'expresion'", "Did you mean 'expression'"]),
        ("expression\nrest\n", ["needs a column 'file'"]),
        ("file,expression\n", ["at least one row"]),
        ("", ["needs a column 'file'"]),
        ("\n;;\n", ["needs a column 'file'"]),
        ("a.jpg,rest\nsub/b.jpg,snarl\n", ["unknown column 'a.jpg'", "Allowed are file, expression"]),
        ("file,expression,file\na.jpg,rest,b.jpg\n", ["the column 'file' more than once"]),
        ("file,expression\n\na.jpg,rest\nsub/b.jpg,smile,open\n", ["line 4 has 3 cells", "names 2", "into quotes"]),
        ("file\nrest, late.jpg\n", ["line 2 has 2 cells", "names 1"]),
        ("file,subject\na.jpg,P1\nsub/b.jpg,P2\n", ["several values for subject", "'P1', 'P2'", "one folder per exam"]),
        ("file,date\na.jpg,01.03.2026\n", ["date '01.03.2026'", "year-month-day"]),
        ("file,date\na.jpg,2026-02-30\n", ["date '2026-02-30'"]),
        ("file,phase\na.jpg,recovring\n", ["unknown phase 'recovring'", "Did you mean 'recovering'"]),
        ("file,reference_side\na.jpg,lefft\n", ["reference_side = 'lefft'", "Did you mean 'left'"]),
        ("file,iris_mm\na.jpg,117\n", ["iris_mm = '117'", "5 to 20 millimetres"]),
        ("file,ruler_mm\na.jpg,about 9\n", ["ruler_mm = 'about 9'", "40 to 160 millimetres"]),
        ("file,iris_mm\na.jpg,nan\n", ["iris_mm = 'nan'"]),
        ("file,surgery\na.jpg,läng\n".encode("latin-1"), ["'exam.csv' is no text", "CSV UTF-8"]),
        ("file\n" + "a.jpg\n" * 200_000, ["larger than 1 MB"]),
        ('file\n"' + "x" * 200_000 + '"\n', ["'exam.csv', line 2 is not CSV"]),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused_with_the_next_step(folder, table, words):
    with pytest.raises(ExamError) as error:
        read_exam_table(folder(table))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        ("gone.jpg,rest,", "InputNotFoundError", ["names 'gone.jpg'", "no such file"]),
        ("a.jpg,smile_opne", "ExamError", ["row 'a.jpg'", "Did you mean 'smile_open'?"]),
        ("../a.jpg,rest", "ExamError", ["outside the exam's folder"]),
        ("sub/../../a.jpg,rest", "ExamError", ["outside the exam's folder"]),
        ("..\\a.jpg,rest", "ExamError", ["outside the exam's folder"]),
        ("sub,rest", "InputNotFoundError", ["no such file"]),
        ("a\0.jpg,rest", "InputNotFoundError", ["no such file"]),
        ("x" * 300 + ",rest", "InputNotFoundError", ["no such file"]),
    ],
)
def test_a_bad_row_is_a_failure_and_the_others_are_kept(folder, row, kind, words):
    _, rows, failures = read_exam_table(folder(f"file,expression\n{row}\nsub/b.jpg,rest\n"))
    assert [one.path.name for one in rows] == ["b.jpg"]
    ((failure),) = failures
    assert failure.error == kind
    assert failure.source == row.split(",")[0]
    for word in words:
        assert word in failure.message


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/etc/passwd", "passwd"),
        ("/home/P7/a.jpg", "a.jpg"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("C:/photos/a.jpg", "a.jpg"),
        ("\\\\clinic\\share\\a.jpg", "a.jpg"),
    ],
)
def test_of_an_absolute_path_only_the_name_is_told(folder, file, shown):
    _, rows, ((failure),) = read_exam_table(folder(f"file\n{file}\n"))
    assert (rows, failure.source, failure.error) == ([], shown, "ExamError")
    assert failure.message == (
        f"exam.csv names '{shown}', which lies outside the exam's folder; copy the picture into the folder."
    )


def test_an_unknown_mirroring_of_one_row_is_that_rows_failure(folder):
    _, rows, failures = read_exam_table(folder("file,mirrored\na.jpg,nope\nsub/b.jpg,no\n"))
    assert [one.path.name for one in rows] == ["b.jpg"]
    assert "mirrored = 'nope'. Did you mean 'no'?" in failures[0].message


def test_failures_of_the_table_reach_the_job(folder):
    (job, _), _ = find_jobs([folder("file,expression\ngone.jpg,rest\na.jpg,rest\n")], Settings())
    assert [failure.source for failure in job.failures] == ["gone.jpg"]
    assert [one.source for one in job.captures] == ["a.jpg"]
