"""Layouts: each is told by its root, and a wrong root is answered with the right one."""

from pathlib import Path

import pytest

from facialpalsy.datasets import LAYOUTS, read_corpus, recognise
from facialpalsy.errors import InputNotFoundError, UsageError, WrongLayoutError

MARKS = {
    "synth": "labels.parquet",
    "csv": "train.csv",
    "grades": "grade_2/p1_left.jpg",
    "ckplus": "cohn-kanade-images/S005/001/a.png",
    "disfa": "ActionUnit_Labels/SN001/SN001_au12.txt",
    "bp4d": "AUCoding/AU_OCC/F001_T1.csv",
    "meei": "Flaccid/MildFlaccid/MildFlaccid1/MildFlaccid1_1.jpg",
    "yfp": "Image/1/7.bmp",
    "neuroface": "ALS/Videos/A002_02_NSM_KISS_color.avi",
    "aflfp": "P01/a.pts",
}


@pytest.fixture(params=MARKS)
def marked(request, tmp_path):
    """The name of a layout, and a root that bears its mark."""
    path = tmp_path / "root" / MARKS[request.param]
    path.parent.mkdir(parents=True)
    path.write_text("image_path,subject\n" if path.suffix == ".csv" else "")
    return request.param, tmp_path / "root"


def test_every_layout_has_a_mark_here():
    assert set(MARKS) == set(LAYOUTS)


def test_each_layout_is_recognised_and_no_other_claims_its_root(marked):
    name, root = marked
    assert recognise(root) == name
    assert [other for other in LAYOUTS if LAYOUTS[other].looks_like(root)] == [name]


def test_a_wrong_layout_says_which_one_it_looks_like(marked):
    name, root = marked
    wrong = "yfp" if name != "yfp" else "meei"
    with pytest.raises(WrongLayoutError, match=rf"not in the layout {wrong}.*looks like {name}; give --layout {name}"):
        read_corpus(root, wrong)


def test_a_folder_too_high_or_too_low_is_told(marked):
    name, root = marked
    if name in ("ckplus", "disfa", "bp4d", "neuroface", "aflfp"):
        return  # these are found from further up, too, the first three only while they stand alone there
    with pytest.raises(WrongLayoutError, match=f"its folder 'root' looks like {name}"):
        read_corpus(root.parent)
    if name in ("yfp", "meei"):
        with pytest.raises(WrongLayoutError, match=f"the folder 'root' above it looks like {name}"):
            read_corpus(root / Path(MARKS[name]).parts[0])


@pytest.mark.parametrize(
    ("name", "beside"), [("ckplus", "FACS_labels/FACS"), ("disfa", "Videos_LeftCamera"), ("bp4d", "F001/T1")]
)
def test_a_folder_of_corpora_is_not_read_as_one_of_them(tmp_path, name, beside):
    (tmp_path / "all/root" / MARKS[name]).mkdir(parents=True)
    assert recognise(tmp_path / "all") == name
    (tmp_path / "all/root" / beside).mkdir(parents=True)
    with pytest.raises(WrongLayoutError, match=f"its folder 'root' looks like {name}; give that folder"):
        read_corpus(tmp_path / "all", name)


def test_what_is_found_by_a_search_is_not_taken_for_all_corpora_of_a_folder(tmp_path):
    for path in ("AFLFP/P01/a.pts", "YFP/Image/1/7.bmp"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    with pytest.raises(WrongLayoutError, match="its folder 'AFLFP' looks like aflfp"):
        read_corpus(tmp_path)


def test_a_doubled_folder_of_pictures_is_not_the_root(tmp_path, picture):
    picture(tmp_path / "YFP/Image/Image/1/7.bmp")
    with pytest.raises(WrongLayoutError, match="the folder 'YFP' above it looks like yfp"):
        read_corpus(tmp_path / "YFP/Image", "yfp")


def test_a_folder_far_too_low_is_told_by_folder_names_alone(tmp_path, text):
    person = tmp_path / "MEEI/Flaccid/MildFlaccid/MildFlaccid1"
    person.mkdir(parents=True)
    with pytest.raises(WrongLayoutError, match="the folder 'MEEI' above it looks like meei"):
        read_corpus(person)
    text(tmp_path / "all/AFLFP/P01/a.pts", "")
    (tmp_path / "all/holiday/day").mkdir(parents=True)
    with pytest.raises(WrongLayoutError, match="It holds nothing"):
        read_corpus(tmp_path / "all/holiday/day")


def test_the_folder_one_stands_in_is_called_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "holiday/day").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "holiday")
    with pytest.raises(WrongLayoutError, match=r"^'holiday' is in no layout known here"):
        read_corpus(Path())
    monkeypatch.chdir(tmp_path / "holiday/day")
    with pytest.raises(WrongLayoutError, match=r"^'holiday' is in no layout known here"):
        read_corpus(Path(".."))


def test_a_root_that_cannot_be_listed_is_not_called_empty(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("facialpalsy.datasets.tree.os.scandir", refuse)
    with pytest.raises(WrongLayoutError, match=r"cannot be listed \(Permission denied\)"):
        read_corpus(tmp_path)


def test_locks_of_open_workbooks_are_no_files_of_a_corpus(tmp_path, clip, text, read):
    clip(tmp_path / "ALS/A002_02_NSM_OPEN_color.avi")
    text(tmp_path / "ALS/~$ratings.xlsx", "lock")
    assert not read(tmp_path, "neuroface").problems["unreadable label"]


def test_an_unknown_folder_is_described(tmp_path):
    (tmp_path / "root/cats").mkdir(parents=True)
    with pytest.raises(WrongLayoutError, match=r"in no layout known here. It holds 'cats'; known are synth, csv"):
        read_corpus(tmp_path / "root")
    (tmp_path / "root/cats").rmdir()
    with pytest.raises(WrongLayoutError, match="It holds nothing"):
        read_corpus(tmp_path / "root", "aflfp")


def test_a_file_is_no_corpus_unless_it_is_a_table(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(WrongLayoutError):
        read_corpus(tmp_path / "a.jpg", "yfp")
    with pytest.raises(WrongLayoutError):
        read_corpus(tmp_path / "a.jpg")


def test_a_missing_root_and_an_unknown_layout_are_named(tmp_path):
    with pytest.raises(InputNotFoundError, match="no 'nowhere'"):
        read_corpus(tmp_path / "nowhere", "yfp")
    with pytest.raises(UsageError, match="Did you mean 'ckplus'"):
        read_corpus(tmp_path, "ck+plus")


@pytest.mark.parametrize("option", [{"subject_from": "(.)"}, {"data_root": Path()}, {"zero_based": True}])
def test_an_option_that_a_layout_has_no_use_for_is_refused(tmp_path, option):
    (tmp_path / "Image").mkdir()
    with pytest.raises(UsageError, match="means nothing to the layout yfp"):
        read_corpus(tmp_path, "yfp", **option)


def test_names_that_no_terminal_can_print_are_escaped(tmp_path, picture, read):
    path = picture(tmp_path / "YFP/Image/1\n2/7.bmp")
    odd = Path(str(path.parent.parent / "3") + "\udcff")
    odd.mkdir()
    path.rename(odd / "7.bmp")
    sample = read(tmp_path / "YFP", "yfp").corpus.samples[0]
    assert sample.subject == "3\\udcff"
    sample.key.encode("ascii")


def test_pictures_that_no_reader_looks_at_are_counted_by_folder(tmp_path, picture, read):
    root = tmp_path / "YFP"
    picture(root / "Image/1/7.bmp")
    picture(root / "extra/deep/a.jpg")
    picture(root / "extra/deep/b.jpg")
    found = read(root, "yfp")
    assert found.said("extra/deep: 2 pictures and clips of this folder in no sample: a.jpg, b.jpg.")
    assert len(found.samples) == 1
