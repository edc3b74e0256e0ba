"""Labels: a user's own grades, several raters, and folders that are one person."""

import pytest

from facialpalsy.datasets import Corpus, Sample, join_labels, merge_people
from facialpalsy.errors import InputNotFoundError, LabelsError

HEADER = "subject,capture,scale,item,value,rater\n"


@pytest.fixture
def corpus(tmp_path):
    """Two captures of p1, one of p2."""
    places = [("p1", "a"), ("p1", "b"), ("p2", "a")]
    samples = tuple(
        Sample("csv", f"{who}/{capture}.jpg", who, tmp_path / f"{who}{capture}.jpg", capture=capture)
        for who, capture in places
    )
    return Corpus("csv", tmp_path, samples, ())


@pytest.fixture
def joined(corpus, tmp_path, text):
    """The samples by key, and what was said, after joining a table."""

    def join(content, start=corpus):
        result = join_labels(start, text(tmp_path / "labels.csv", HEADER + content))
        return {one.key: one for one in result.samples}, [f"{one.kind}: {one.message}" for one in result.problems]

    return join


def test_labels_go_to_the_capture_or_to_all_of_them(joined):
    samples, said = joined("p1,,sunnybrook,composite,71,AB\np1,b,note,side,left,AB\n")
    assert samples["p1/a.jpg"].targets == {"labels.sunnybrook.composite.AB": 71.0}
    assert samples["p1/b.jpg"].targets == {"labels.sunnybrook.composite.AB": 71.0, "labels.note.side.AB": "left"}
    assert not samples["p2/a.jpg"].targets
    assert said == ["image without label: 1 of 3 samples have no label in this table."]


def test_only_the_grade_of_house_brackmann_becomes_a_grade(joined):
    samples, _ = joined(
        "p1,,house_brackmann,grade,IV,AB\np2,,sunnybrook,grade,3,AB\np2,,house_brackmann,synkinesis,1,AB\n"
    )
    assert [samples[key].grade for key in samples] == [4, 4, None]
    assert samples["p1/a.jpg"].targets == {"labels.house_brackmann.grade.AB": 4.0}


@pytest.mark.parametrize(
    ("grades", "median"), [((3, 4, 6), 4), ((2, 4), 3), ((3, 3), 3), ((3, 4), None), ((1, 2, 3, 6), None)]
)
def test_several_raters_give_their_median_or_disagree(joined, grades, median):
    rows = "".join(f"p1,a,house_brackmann,grade,{grade},R{number}\n" for number, grade in enumerate(grades))
    samples, said = joined(rows)
    assert samples["p1/a.jpg"].grade == median
    assert len(samples["p1/a.jpg"].targets) == len(grades)
    assert any("raters disagree: 'p1', capture 'a'" in one for one in said) == (median is None)


def test_a_row_for_the_capture_goes_before_one_for_all(joined):
    samples, _ = joined("p1,,house_brackmann,grade,2,AB\np1,b,house_brackmann,grade,5,AB\n")
    assert (samples["p1/a.jpg"].grade, samples["p1/b.jpg"].grade) == (2, 5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p9,,house_brackmann,grade,3,AB", "label without image: Line 2: there is no 'p9' in the corpus."),
        ("p1,z,house_brackmann,grade,3,AB", "label without image: Line 2: 'p1' has no capture 'z' in the corpus."),
        ("00P1,,house_brackmann,grade,3,AB", "label without image: Line 2: there is no '00P1'; did you mean 'p1'?"),
        ("p1,,house_brackmann,grade,0,AB", "impossible value: Line 2: The grade is '0'"),
        ("p1,,house_brackmann,grade,7,AB", "impossible value: Line 2: The grade is '7'"),
        ("p1,,house_brackmann,grade,3,", "unreadable label: Line 2: The cell rater is empty"),
        ("p1,,house_brackmann,grade,,AB", "unreadable label: Line 2: The cell value is empty"),
        (f"p1,,x,y,{'z' * 61},AB", "unreadable label: Line 2: A cell holds more than 60"),
    ],
)
def test_a_row_that_fits_nothing_is_told_by_its_line(joined, row, words):
    samples, said = joined(row + "\n")
    assert {one.grade for one in samples.values()} == {None}
    assert any(one.startswith(words) for one in said), said


def test_a_rater_who_contradicts_himself_is_not_taken(joined):
    samples, said = joined(
        "p1,a,house_brackmann,grade,3,AB\np1,a,house_brackmann,grade,4,AB\np1,a,x,y,1,AB\np1,a,x,y,1,AB\n"
    )
    assert samples["p1/a.jpg"].grade is None
    assert samples["p1/a.jpg"].targets == {"labels.x.y.AB": 1.0}
    assert any("contradiction: Line 3" in one for one in said)


def test_another_grade_in_the_corpus_gives_way_and_is_told(corpus, joined):
    first = Sample("csv", "p1/a.jpg", "p1", corpus.root / "a", capture="a", grade=2)
    samples, said = joined("p1,,house_brackmann,grade,3,AB\n", Corpus("csv", corpus.root, (first,), ()))
    assert samples["p1/a.jpg"].grade == 3
    assert any(one.startswith("contradiction: 'p1', capture 'a': the corpus says grade 2") for one in said)


@pytest.mark.parametrize("content", ["", "subject,value\np1,3\n", HEADER + "p1,,a,b,c,d,e\n"])
def test_a_table_of_another_kind_is_a_named_error(corpus, tmp_path, text, content):
    with pytest.raises(LabelsError):
        join_labels(corpus, text(tmp_path / "labels.csv", content))


def test_a_missing_table_is_named(corpus, tmp_path):
    for join in (join_labels, merge_people):
        with pytest.raises(InputNotFoundError, match=r"'none.csv'"):
            join(corpus, tmp_path / "none.csv")


@pytest.fixture
def merged(corpus, tmp_path, text):
    return lambda content: merge_people(corpus, text(tmp_path / "people.csv", "folder,person\n" + content))


def test_folders_become_the_person(merged):
    assert {one.subject for one in merged("p2,p1\n").samples} == {"p1"}
    assert {one.subject for one in merged("p1,X\np2,X\n").samples} == {"X"}
    assert [one.subject for one in merged("p1,p1\np2,Y\n").samples] == ["p1", "p1", "Y"]


def test_a_folder_that_is_not_there_is_told(merged):
    assert [one.message for one in merged("p7,X\n").problems] == ["There is no folder 'p7' in the corpus."]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("p1,p2\np2,p1\n", "Give both the same person"),
        ("p1,p2\np2,p3\n", "Give both the same person"),
        ("p1,X\np1,Y\n", "named twice"),
        ("p1,X\np1,X\n", "named twice"),
        ("p1,\n", "empty cell"),
    ],
)
def test_loops_chains_and_repeats_are_refused(merged, content, words):
    with pytest.raises(LabelsError, match=words):
        merged(content)
