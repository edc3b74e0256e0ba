"""Spreadsheet: what programs of several countries save as CSV is read alike, and everything else is a named error."""

import os

import pytest

from facialpalsy.errors import ExamError, RatingsError
from facialpalsy.spreadsheet import read_cells

# Byte-order marks as in the Unicode standard, section 23.8.
MARKS = {"utf-8": b"", "utf-8 with a mark": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
TEXT = "name,place\nMüller,Łódź\n笑顔,\n"


@pytest.fixture
def cells(tmp_path):
    """The cells of a table with the content that is given."""

    def read(content, error=ExamError):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_cells(path, error)

    return read


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_encoding_separator_and_line_end_gives_the_same_cells(cells, encoding, separator, line_end):
    text = TEXT.replace(",", separator).replace("\n", line_end)
    content = MARKS[encoding] + text.encode(encoding.split()[0])
    assert cells(content) == [(1, ["name", "place"]), (2, ["Müller", "Łódź"]), (3, ["笑顔"])]


def test_empty_rows_and_empty_ends_of_rows_are_dropped_and_lines_keep_their_numbers(cells):
    assert cells(",,\n\n a , b ,,\n ; \n,c,,\n  \n") == [(3, ["a", "b"]), (4, [";"]), (5, ["", "c"])]


@pytest.mark.parametrize("content", ["", "\n\n", ",,,\n,\n", ";;\n;\n", "\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_table_without_a_filled_cell_is_empty(cells, content):
    assert cells(content) == []


def test_the_first_filled_line_decides_on_the_separator(cells):
    assert cells("\n \nfile;iris_mm\na.jpg;12,1\n") == [(3, ["file", "iris_mm"]), (4, ["a.jpg", "12,1"])]
    assert cells("item,value\nsunnybrook;80,5;5\n")[1] == (2, ["sunnybrook;80", "5;5"])


def test_quotes_hold_separators_and_line_ends_and_a_row_has_the_number_of_its_last_line(cells):
    assert cells('a,b\n"1,5","two\nlines"\nc,"say ""yes"""\n') == [
        (1, ["a", "b"]), (3, ["1,5", "two\nlines"]), (4, ["c", 'say "yes"']),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [ExamError, RatingsError])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('a,b\n1,2\nc,"open\n', ["line 3", "is not CSV", "Save it as CSV again"]),
        ('a,b\n"x"y,2\n', ["line 2", "is not CSV"]),
        ("a,b\n" + "x" * 131_073 + ",1\n", ["line 2", "is not CSV"]),  # one more than the csv module's field limit
        ("läng\n".encode("latin-1"), ["no text in UTF-8 or UTF-16", "CSV UTF-8"]),
        (b"\xff\xfea\x00b", ["no text in UTF-8 or UTF-16"]),  # half a character at the end
        (b"x" * 1_000_001, ["larger than 1 MB", "Check the file"]),
    ],
)
def test_every_error_names_the_file_and_the_next_step(cells, error, content, words):
    with pytest.raises(error) as caught:
        cells(content, error)
    assert str(caught.value).startswith("'table.csv'")
    for word in words:
        assert word in str(caught.value)


def test_a_table_of_exactly_1_mb_is_read(cells):
    assert len(cells(b"ab\n" * 333_333 + b"a")) == 333_334


def test_a_folder_a_pipe_and_nothing_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for name, words in (
        ("", "no regular file"),
        ("pipe.csv", "'pipe.csv' cannot be read: it is no regular file"),
        ("gone.csv", "'gone.csv' cannot be read: No such file or directory"),
    ):
        with pytest.raises(ExamError, match=words) as caught:
            read_cells(tmp_path / name, ExamError)
        assert str(tmp_path) not in str(caught.value)
