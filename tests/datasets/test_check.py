"""Check: every picture is opened; people, duplicates and shortcuts are told."""

import numpy as np
import pytest
from PIL import Image

from facialpalsy.datasets import read_corpus
from facialpalsy.datasets.check import Count, Range, check_corpus
from facialpalsy.datasets.duplicates import NEAR_BITS, find_duplicates
from facialpalsy.datasets.pictures import Facts, inspect


@pytest.fixture
def checked(tmp_path, text):
    """The report on a table below `set`, and its problems as `kind: path`."""

    def check(rows, header="image_path,subject,grade,side,split", layout="csv"):
        text(tmp_path / "set/t.csv", header + "\n" + "\n".join(rows) + "\n")
        report = check_corpus(read_corpus(tmp_path / "set", layout))
        return report, [f"{one.kind}: {one.path}" for one in report.problems]

    return check


@pytest.fixture
def draw(tmp_path, picture):
    return lambda name, **how: picture(tmp_path / "set" / name, **how)


def test_people_and_samples_are_counted_apart(draw, checked):
    for name in ("a", "b", "c"):
        draw(f"{name}.png")
    report, problems = checked(["a.png,p1,3,left,train", "b.png,p1,4,left,train", "c.png,p2,,none,test"])
    assert problems == []
    assert report.faults == 0
    assert (report.people, report.pictures, report.clips, report.frames) == (2, 3, 0, 0)
    assert report.counts["grade"] == {"3": Count(1, 1), "4": Count(1, 1), "not given": Count(1, 1)}
    assert report.counts["affected side"] == {"left": Count(1, 2), "none": Count(1, 1)}
    assert report.counts["split"] == {"test": Count(1, 1), "train": Count(1, 2)}
    assert report.lines()[0] == "Layout csv: 2 people, 3 pictures, 0 clips, 0 labelled frames."
    assert report.lines()[-1] == "Notes: none"


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n cut"])
def test_an_unreadable_picture_is_a_fault_and_never_a_black_one(tmp_path, draw, checked, content):
    draw("a.png")
    (tmp_path / "set/b.png").write_bytes(content)
    report, problems = checked(["a.png,p1,3,,", "b.png,p2,3,,"])
    assert problems == ["unreadable image: b.png"]
    assert report.faults == 1


def test_a_picture_of_one_colour_is_a_fault(tmp_path, draw, checked):
    draw("a.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "set/b.png")
    assert checked(["a.png,p1,3,,", "b.png,p2,3,,"])[1] == ["blank image: b.png"]


def test_a_corpus_without_a_usable_picture_is_a_fault(checked):
    report, problems = checked([])
    assert (problems, report.faults, report.people) == (["no sample: ."], 1, 0)
    assert checked(["x.png,p1,3,,"])[1] == ["label without image: t.csv", "no sample: ."]


def test_names_that_differ_in_case_and_blanks_alone_are_a_note(draw, checked):
    for name in ("a", "b", "c"):
        draw(f"{name}.png")
    report, problems = checked(["a.png,P 1,3,,train", "b.png,p1,3,,test", "c.png,p1-1,3,,test"])
    assert problems == ["names alike: ."]
    assert report.problems[0].message == "'P 1' and 'p1' are 2 people here."
    assert report.faults == 0


def test_numbers_have_a_range_and_the_number_of_an_emotion_is_counted(tmp_path, picture, text):
    for person, unit in (("S001", 3), ("S002", 5)):
        stem = f"{person}/001/{person}_001_00000001"
        picture(tmp_path / f"cohn-kanade-images/{stem}.png")
        text(tmp_path / f"FACS/{stem}_facs.txt", f"12 {unit}\n")
    text(tmp_path / "Emotion/S001/001/S001_001_00000001_emotion.txt", "5.0\n")
    report = check_corpus(read_corpus(tmp_path, "ckplus"))
    assert report.numbers == {"ckplus.au12": Range(2, 2, 3, 5)}
    assert report.counts["ckplus.emotion"] == {"5": Count(1, 1), "not given": Count(1, 1)}
    assert "  ckplus.au12                          2         2   3 to 5" in report.lines()
    assert report.as_json()["numbers"]["ckplus.au12"] == {"people": 2, "samples": 2, "lowest": 3, "highest": 5}


def test_a_person_in_two_splits_is_a_fault(draw, checked):
    draw("a.png"), draw("b.png")
    assert checked(["a.png,p1,3,,train", "b.png,p1,3,,test"])[1] == ["subject in two splits: ."]


def test_the_same_file_again_is_a_note_within_a_person_and_a_fault_across_people(draw, checked):
    for name in ("a", "b", "c"):
        draw(f"{name}.png", seed=1)
    report, problems = checked(["a.png,p1,3,,", "b.png,p1,3,,", "c.png,p2,3,,"])
    assert problems == ["duplicate: a.png", "duplicate across people: a.png"]
    assert report.faults == 1
    assert "the same file as c.png" in report.problems[1].message


def test_a_recompressed_smaller_grey_copy_under_another_name_is_found(tmp_path, draw, checked):
    source = Image.open(draw("a.png", size=(300, 300)))
    draw("c.png", size=(300, 300))
    source.convert("L").resize((150, 150)).save(tmp_path / "set/b.jpg", quality=60)
    report, problems = checked(["a.png,p1,3,,", "b.jpg,p2,3,,", "c.png,p3,3,,"])
    assert problems == ["duplicate across people: a.png"]
    assert "almost the same picture as b.jpg" in report.problems[0].message


@pytest.mark.parametrize("bits", [0, 1, NEAR_BITS, NEAR_BITS + 1])
def test_looks_within_the_limit_are_found_wherever_they_differ(tmp_path, bits):
    """Pigeonhole: of eleven bands at least one is free of ten differences."""
    generator = np.random.default_rng(5)
    for _ in range(20):
        look = generator.integers(0, 2, 256, np.uint8)
        other = look.copy()
        other[generator.choice(256, bits, replace=False)] ^= 1
        facts = [
            Facts(tmp_path / name, sha256=name, look=np.packbits(one).tobytes())
            for name, one in (("a", look), ("b", other), ("c", 1 - look))
        ]
        found = find_duplicates(facts, ["a", "b", "c"], ["p1", "p2", "p3"])
        assert len(found) == (bits <= NEAR_BITS)


def test_a_pair_of_people_is_told_once_with_the_number_of_pictures(tmp_path):
    look = bytes(range(32))
    facts = [Facts(tmp_path / str(number), sha256=str(number), look=look) for number in range(4)]
    (found,) = find_duplicates(facts, list("abcd"), ["p1", "p1", "p2", "p2"])
    assert "and 3 more pairs" in found.message


def test_a_clip_is_decoded_and_frames_beyond_its_end_are_a_fault(tmp_path, clip, text):
    root = tmp_path / "NeuroFace"
    clip(root / "ALS/A002_02_NSM_OPEN_color.avi", frames=3)
    row = ",".join(["1"] * 136)
    text(root / "ALS/A002_02_NSM_OPEN_color.txt", f"Frame\n2,{row}\n3,{row}\n")
    report = check_corpus(read_corpus(root, "neuroface"))
    assert (report.clips, report.pictures, report.frames) == (1, 0, 2)
    faults = [one for one in report.problems if one.kind.is_fault]
    assert [(one.path, one.kind.value) for one in faults] == [("ALS/A002_02_NSM_OPEN_color.avi", "label without image")]
    assert "1 frame from 3 on, but the clip has 3" in faults[0].message


def test_a_cut_clip_is_a_fault(tmp_path, clip):
    path = clip(tmp_path / "ALS/A002_02_NSM_OPEN_color.avi", frames=9)
    path.write_bytes(path.read_bytes()[:-2000])
    report = check_corpus(read_corpus(tmp_path, "neuroface"))
    assert [one.kind.value for one in report.problems if one.kind.is_fault] == ["unreadable image"]


def test_facts_of_a_picture(draw):
    grey, colour = inspect(draw("a.JPEG", grey=True, size=(50, 40))), inspect(draw("b.png"))
    assert (grey.grey, grey.size, grey.format) == (True, (50, 40), ".jpg")
    assert (colour.grey, colour.size, colour.format) == (False, (64, 64), ".png")


SHORTCUTS = {
    "The colour alone tells palsy or healthy": lambda side: {"grey": side == "none"},
    "The size in pixels alone tells palsy or healthy": lambda side: {"size": (60, 60) if side == "none" else (80, 80)},
}


@pytest.mark.parametrize("words", SHORTCUTS)
def test_a_class_that_equals_its_source_is_warned_of(draw, checked, words):
    sides = ["none", "left"] * 3
    rows = [
        f"{draw(f'{number}.png', **SHORTCUTS[words](side)).name},p{number},,{side},"
        for number, side in enumerate(sides)
    ]
    report, problems = checked(rows)
    assert problems == ["class equals source: ."]
    assert report.problems[0].message.startswith(words)
    assert report.faults == 0


def test_a_folder_and_a_format_of_one_grade_are_warned_of(draw, checked):
    rows = []
    for number in range(6):
        folder, ending = ("new", "png") if number % 2 else ("old", "bmp")
        draw(f"{folder}/{number}.{ending}")
        rows.append(f"{folder}/{number}.{ending},p{number},{3 + number % 2},,")
    report, _ = checked(rows)
    said = [one.message for one in report.problems]
    assert any(one.startswith("The file format alone tells grade (3 in .bmp, 4 in .png)") for one in said)
    assert any(one.startswith("The top folder alone tells grade") for one in said)


def test_one_class_that_is_a_whole_source_is_warned_of(draw, checked):
    grades = [3, 3, 4, 4, 5, 5]
    rows = []
    for number, grade in enumerate(grades):
        draw(f"{number}.png", grey=grade == 5)
        rows.append(f"{number}.png,p{number},{grade},,")
    report, problems = checked(rows)
    assert problems == ["class equals source: ."]
    assert report.problems[0].message.startswith("grade 5 is all of the colour grey")


def test_sources_that_hold_every_class_and_people_who_are_their_own_source_are_no_warning(draw, checked):
    rows = []
    for number in range(6):
        draw(f"{number}.png", size=(60 + number, 60), grey=number < 3)
        rows.append(f"{number}.png,p{number},,{('none', 'left')[number % 2]},")
    assert checked(rows)[1] == []


def test_folders_that_are_the_corpus_own_classes_are_no_source(tmp_path, picture):
    for name in ("Normals/Normal1/Normal1_1.jpg", "Flaccid/MildFlaccid/MildFlaccid1/MildFlaccid1_1.jpg"):
        picture(tmp_path / name)
    report = check_corpus(read_corpus(tmp_path, "meei"))
    assert not [one for one in report.problems if one.kind == "class equals source"]
    assert report.counts["meei.category"] == {"Flaccid": Count(1, 1), "Normal": Count(1, 1)}


def test_progress_reaches_the_number_of_files(tmp_path, draw, text):
    draw("a.png"), draw("b.png")
    text(tmp_path / "set/t.csv", "image_path,subject\na.png,p1\nb.png,p1\n")
    told = []
    check_corpus(read_corpus(tmp_path / "set", "csv"), lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
