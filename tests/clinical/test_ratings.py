"""Ratings: what a clinician's file may hold, and that everything else is a named error in a whole sentence."""

import os

import pytest

from facialpalsy.clinical.evidence import Rating
from facialpalsy.clinical.ratings import ALLOWED, read_ratings
from facialpalsy.errors import InputNotFoundError, RatingsError


@pytest.fixture
def written(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "ratings.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def test_reads_items_with_mark_empty_lines_spaces_and_roman_numerals(written):
    text = (
        "\r\nItem, Value ,rater\r\n\r\nfngs2.brow,3,Dr Ö\r\n,,\r\nhouse_brackmann,iv,A\r\n eface.ocular , 62.5 , B \r\n"
    )
    assert read_ratings(written(text, "utf-8-sig")) == (
        Rating("fngs2.brow", 3, "Dr Ö"),
        Rating("house_brackmann", 4, "A"),
        Rating("eface.ocular", 62.5, "B"),
    )


def test_a_header_alone_holds_no_ratings(written):
    assert read_ratings(written("item,value,rater\n")) == ()


def test_every_item_of_the_scales_can_be_rated(written):
    lines = [f"{name},{allowed.high:g},A" for name, allowed in ALLOWED.items()]
    assert len(read_ratings(written("\n".join(["item,value,rater", *lines])))) == len(lines) == 4 + 1 + 5 + 13 + 15


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("fngs2.brwo,3,A", "Did you mean 'fngs2.brow'?"),
        ("fngs2.brow,7,A", "line 2: fngs2.brow is '7'; allowed are whole numbers from 1 to 6."),
        ("fngs2.brow,2.5,A", "allowed are whole numbers from 1 to 6."),
        ("fngs2.brow,IV,A", "allowed are whole numbers from 1 to 6."),
        ("house_brackmann,VII,A", "allowed are whole numbers from 1 to 6."),
        ("sunnybrook.rest.eye,2,A", "allowed are whole numbers from 0 to 1."),
        ("eface.brow_rest,200.5,A", "allowed are numbers from 0 to 200."),
        ("eface,nan,A", "allowed are numbers from 0 to 100."),
        ("sunnybrook,inf,A", "allowed are whole numbers from 0 to 100."),
        ("sunnybrook,,A", "allowed are whole numbers from 0 to 100."),
        ("sunnybrook,=1+1,A", "sunnybrook is '=1+1'; allowed are whole numbers"),
        ("=HYPERLINK(1),3,A", "unknown item '=HYPERLINK(1)'"),
        ("sunnybrook,80,=cmd|' /C calc'!A0", "name the rater by a pseudonym"),
        ("sunnybrook,80,", "line 2 has 2 cells; it must have three: item,value,rater."),
        ("sunnybrook,80,,", "line 2 has 2 cells; it must have three"),
        ("\nsunnybrook,80", "line 3 has 2 cells; it must have three"),
        ("sunnybrook", "line 2 has 1 cell; it must have three"),
        ("eface,2,5,A", "has 4 cells; it must have three"),
        ("sunnybrook,80,A\nsunnybrook,85,A", "line 3: 'A' gives sunnybrook a second time."),
        (f"{'x' * 50_000},1,A", "unknown item 'xxxx"),
        ('sunnybrook,"80,A', "is not CSV"),
        (f"{'x' * 900_000},1,A", "is not CSV"),
        ("x" * 1_100_000, "is larger than 1 MB"),
    ],
)
def test_named_errors(written, line, sentence):
    with pytest.raises(RatingsError) as caught:
        read_ratings(written(f"item,value,rater\n{line}\n"))
    message = str(caught.value)
    assert sentence in message
    assert len(message) < 1500
    assert "/" not in message.replace("/C", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_other_countries_spreadsheets_save_is_the_same_file(written, encoding, separator):
    lines = ("Item,Value,Rater,,", "", "house_brackmann,III,Dr Ö,", "fngs2.brow,3,Łucja", ",,,,")
    text = "\r\n".join(lines).replace(",", separator)
    assert read_ratings(written(text, encoding)) == (
        Rating("house_brackmann", 3, "Dr Ö"),
        Rating("fngs2.brow", 3, "Łucja"),
    )


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n", "item;value\nfngs2.brow;3\n", "fngs2.brow,3,A\n"])
def test_another_header_is_an_error(written, text):
    with pytest.raises(RatingsError, match="its first line must be item,value,rater"):
        read_ratings(written(text))


@pytest.mark.parametrize("data", ["item,value,rater\nsunnybrook,80,Ö".encode("latin-1"), b"\xff\xfei\x00t\x00e"])
def test_another_encoding_is_an_error_with_the_way_out(written, data):
    with pytest.raises(RatingsError, match=r"is no text in UTF-8 or UTF-16\. Save it as 'CSV UTF-8'"):
        read_ratings(written(data))


def test_binary_rubbish_a_folder_a_pipe_and_no_file(written, tmp_path):
    with pytest.raises(RatingsError):
        read_ratings(written(b"\x00\x01\x02" * 100))
    with pytest.raises(RatingsError, match="cannot be read"):
        read_ratings(tmp_path)
    # A pipe that nobody writes to would keep its reader waiting.
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(RatingsError, match=r"'pipe\.csv' cannot be read: it is no regular file"):
        read_ratings(tmp_path / "pipe.csv")
    with pytest.raises(InputNotFoundError, match=r"There is no ratings file 'none\.csv'"):
        read_ratings(tmp_path / "none.csv")
