"""YFP: the layout of three loaders, with every fault that the set is known for."""

import pytest

from facialpalsy.face import Mirrored, ReferenceSide

VOC = """<annotation><folder>1</folder><filename>7.bmp</filename>
<size><width>64</width><height>64</height><depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{name}</name><pose>{pose}</pose><truncated>0</truncated>
<bndbox><xmin>{x}</xmin><ymin>8</ymin><xmax>40</xmax><ymax>20</ymax></bndbox></object>"""


def voc(*names, pose="Left", x="4"):
    return VOC.format(objects="".join(OBJECT.format(name=name, pose=pose, x=x) for name in names))


@pytest.fixture
def root(tmp_path, picture, text):
    """Two subjects, one of them in a doubled folder, one picture without boxes, and the folders to skip."""
    root = tmp_path / "YFP"
    picture(root / "Image/Image/1/7.bmp")
    picture(root / "Image/Image/1/10.bmp")
    picture(root / "Image2/2/3.BMP")
    text(root / "Image_large_XML/1/7.xml", voc("SlightPalsy_Eyes", "StrongPalsy_Mouth"))
    text(root / "Image_large_XML/2/3.xml", voc("Normal_Eyes", "Normal_Mouth", pose="Right"))
    text(root / "Image_large_XML/eyes/1.xml", voc("StrongPalsy_Eyes"))
    text(root / "Image_large_XML/mouth/1.xml", voc("StrongPalsy_Mouth"))
    return root


def test_native_words_boxes_and_poses_are_kept_and_nothing_is_made_of_them(root, read):
    found = read(root, "yfp")
    assert list(found.samples) == ["Image/Image/1/7.bmp", "Image/Image/1/10.bmp", "Image2/2/3.BMP"]
    one = found.samples["Image/Image/1/7.bmp"]
    assert (one.subject, one.capture) == ("1", "1")
    assert one.targets == {
        "yfp.eyes": "SlightPalsy", "yfp.eyes_box": "4 8 40 20", "yfp.eyes_pose": "Left",
        "yfp.mouth": "StrongPalsy", "yfp.mouth_box": "4 8 40 20", "yfp.mouth_pose": "Left",
    }  # fmt: skip
    for sample in found.corpus.samples:
        assert sample.affected is ReferenceSide.UNKNOWN
        assert sample.mirrored is Mirrored.UNKNOWN
        assert sample.grade is None


def test_a_sound_tree_has_notes_only(root, read):
    found = read(root, "yfp")
    assert dict(found.problems) == {
        "image without label": ["1"], "left aside": ["Image_large_XML/eyes", "Image_large_XML/mouth"],
    }  # fmt: skip
    assert not any(problem.kind.is_fault for problem in found.corpus.problems)
    assert found.said("1: 1 picture of this folder without a box")


@pytest.mark.parametrize("cut", ["</annotation>", "annotation>", ">"])
def test_a_missing_end_is_put_in_and_told(root, read, text, cut):
    text(root / "Image_large_XML/1/7.xml", voc("SlightPalsy_Eyes").removesuffix(cut))
    found = read(root, "yfp")
    assert found.samples["Image/Image/1/7.bmp"].targets["yfp.eyes"] == "SlightPalsy"
    assert found.problems["repaired label"] == ["Image_large_XML/1/7.xml"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (voc("SlightPalsy_Eyes")[:200], "no XML"),
        ("", "no XML"),
        ("\x00\x01", "no XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + voc("Normal_Eyes"), "document type"),
        ('<! doctype a SYSTEM "file:///etc/passwd">' + voc("Normal_Eyes"), "document type"),
        (voc("Normal_Eyes") + " " * 1_000_001, "larger than 1 MB"),
    ],
)
def test_broken_and_hostile_xml_costs_its_label_alone(root, read, text, content, word):
    text(root / "Image_large_XML/1/7.xml", content)
    found = read(root, "yfp")
    assert not found.samples["Image/Image/1/7.bmp"].targets
    assert found.samples["Image2/2/3.BMP"].targets["yfp.eyes"] == "Normal"
    assert found.problems["unreadable label"] == ["Image_large_XML/1/7.xml"]
    assert found.said(word)


def test_utf16_xml_that_says_so_is_read(root, read):
    content = '<?xml version="1.0" encoding="utf-16"?>' + voc("Normal_Eyes")
    (root / "Image_large_XML/1/7.xml").write_bytes(content.encode("utf-16"))
    assert read(root, "yfp").samples["Image/Image/1/7.bmp"].targets["yfp.eyes"] == "Normal"


def test_xml_without_image_is_a_row(root, read, text):
    text(root / "Image_large_XML/2/99.xml", voc("Normal_Eyes"))
    assert read(root, "yfp").problems["label without image"] == ["Image_large_XML/2/99.xml"]


def test_an_unknown_word_a_contradiction_and_a_box_without_area_are_rows(root, read, text):
    text(root / "Image_large_XML/1/7.xml", voc("Grade3_Eyes", "Normal_Mouth", "StrongPalsy_Mouth"))
    text(root / "Image_large_XML/2/3.xml", voc("Normal_Eyes", x="40"))
    found = read(root, "yfp")
    assert not found.samples["Image/Image/1/7.bmp"].targets
    assert found.said("Image_large_XML/1/7.xml", "'Grade3_Eyes'")
    assert found.said("Image_large_XML/1/7.xml", "Normal and StrongPalsy of the mouth")
    assert found.samples["Image2/2/3.BMP"].targets == {"yfp.eyes": "Normal", "yfp.eyes_pose": "Left"}


def test_two_boxes_of_one_severity_are_both_kept(root, read, text):
    text(root / "Image_large_XML/1/7.xml", voc("Normal_Eyes", "Normal_Eyes"))
    targets = read(root, "yfp").samples["Image/Image/1/7.bmp"].targets
    assert targets["yfp.eyes"] == "Normal"
    assert targets["yfp.eyes_box"] == "4 8 40 20"


def test_the_strong_folder_of_image5_is_a_native_target(root, read, picture):
    picture(root / "Image5/12:interview/strong/4.bmp")
    sample = read(root, "yfp").samples["Image5/12:interview/strong/4.bmp"]
    assert (sample.subject, sample.capture) == ("12", "12:interview")
    assert sample.targets == {"yfp.folder": "strong"}


def test_a_label_that_fits_two_pictures_is_given_to_neither(root, read, picture):
    picture(root / "Image3/1/7.bmp")
    found = read(root, "yfp")
    assert not found.samples["Image/Image/1/7.bmp"].targets
    assert found.problems["contradiction"] == ["Image_large_XML/1/7.xml"]


def test_a_picture_in_no_subjects_folder_is_a_row(root, read, picture):
    picture(root / "Image2/5.bmp")
    assert read(root, "yfp").problems["no subject"] == ["Image2/5.bmp"]


def test_hidden_and_system_files_are_not_pictures(root, read, picture, text):
    text(root / "Image2/2/._3.bmp", "x")
    picture(root / "__MACOSX/Image/1/7.bmp")
    text(root / "Image2/2/Thumbs.db", "x")
    assert len(read(root, "yfp").samples) == 3


def test_links_in_a_circle_end(root, read):
    (root / "Image2/2/again").symlink_to(root / "Image2", target_is_directory=True)
    (root / "Image2/2/itself").symlink_to(root / "Image2/2/itself")
    assert len(read(root, "yfp").samples) == 3


def test_without_boxes_the_pictures_are_still_there(root, read):
    (root / "Image_large_XML").rename(root / "elsewhere")
    found = read(root, "yfp")
    assert len(found.samples) == 3
    assert found.problems["absent from the corpus"] == ["Image_large_XML"]
