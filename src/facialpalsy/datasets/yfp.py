"""YFP: the YouTube Facial Palsy frames with Pascal-VOC boxes that state the severity of eyes and mouth.

The severities are words of three clinicians per region (Normal, SlightPalsy, StrongPalsy), no House-Brackmann grade.
`pose` is kept as it stands: nobody documents whether its Left is the subject's or the image's, nor whether clips are
mirrored, so no affected side follows from it. A folder stands for a person; several folders may be one patient.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from facialpalsy.datasets.corpus import Kind, Reading, number_of
from facialpalsy.datasets.files import number_in, read_label_text
from facialpalsy.datasets.tree import child, folders_in, undoubled
from facialpalsy.errors import CorpusError
from facialpalsy.media import PHOTO_SUFFIXES

EXPECTED = "folders Image, Image2 ... and Image_large_XML"

_IMAGE_FOLDER = re.compile(r"image\s*\d*", re.IGNORECASE)
_LABEL_FOLDER = "Image_large_XML"
_SKIPPED = ("eyes", "mouth")
_NAME = re.compile(r"(Normal|SlightPalsy|StrongPalsy)_(Eyes|Mouth)")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MAX_XML_BYTES = 1_000_000
_END = "</annotation>"

_Key = tuple[str, str]


@dataclass(frozen=True)
class _Picture:
    path: Path
    folder: str
    inner: str


def looks_like(root: Path) -> bool:
    """Whether `root` holds folders of this layout; a doubled folder of pictures is none."""
    if child(root, _LABEL_FOLDER) is not None:
        return True
    return bool(_image_folders(root)) and not _IMAGE_FOLDER.fullmatch(root.resolve().name)


def read(reading: Reading) -> None:
    """Every picture below the image folders, with the boxes of its XML file where there is one."""
    pictures = _pictures(reading)
    labels = _labels(reading, pictures)
    unlabelled: dict[str, int] = defaultdict(int)
    for key, found in pictures.items():
        for one in found:
            targets = dict(labels.get(key, {}))
            unlabelled[one.folder] += not targets
            if one.inner:
                targets["yfp.folder"] = one.inner
            reading.add(one.path, one.folder.partition(":")[0], capture=one.folder, targets=targets)
    for folder, count in unlabelled.items():
        if count:
            reading.problem(
                folder, Kind.IMAGE_WITHOUT_LABEL, f"{number_of(count, 'picture')} of this folder without a box."
            )


def _image_folders(root: Path) -> list[Path]:
    return [undoubled(folder) for folder in folders_in(root) if _IMAGE_FOLDER.fullmatch(folder.name)]


def _pictures(reading: Reading) -> dict[_Key, list[_Picture]]:
    """Pictures by the lower-case names of their subject's folder and of their own."""
    pictures: dict[_Key, list[_Picture]] = defaultdict(list)
    for top in _image_folders(reading.root):
        for path in reading.files(top, PHOTO_SUFFIXES):
            subject, *inner = path.relative_to(top).parts[:-1] or ("",)
            if subject:
                key = (subject.casefold(), path.stem.casefold())
                pictures[key].append(_Picture(path, subject, "/".join(inner)))
            else:
                reading.problem(path, Kind.NO_SUBJECT, "It lies in no subject's folder, so nobody knows who is seen.")
    return pictures


def _labels(reading: Reading, pictures: dict[_Key, list[_Picture]]) -> dict[_Key, dict[str, str | float]]:
    top = child(reading.root, _LABEL_FOLDER)
    if top is None:
        reading.problem(_LABEL_FOLDER, Kind.ABSENT, "There is no such folder, so no picture has a label.")
        return {}
    labels = {}
    for path in reading.files(undoubled(top), [".xml"]):
        parts = path.relative_to(undoubled(top)).parts
        key = (parts[0].casefold(), path.stem.casefold())
        if key[0] in _SKIPPED or len(parts) < 2:
            continue
        found = pictures.get(key, [])
        if len(found) > 1:
            both = " and ".join(reading.below(one.path) for one in found[:2])
            reading.problem(path, Kind.CONTRADICTION, f"It fits {both}, so it was given to neither.")
        elif not found:
            reading.problem(path, Kind.LABEL_WITHOUT_IMAGE, "There is no picture of this folder and number.")
        else:
            labels[key] = _boxes(reading, path)
    for name in _SKIPPED:
        if (skipped := child(undoubled(top), name)) is not None:
            reading.problem(skipped, Kind.LEFT_ASIDE, "Boxes of one region; those of the subjects' folders are read.")
    return labels


def _boxes(reading: Reading, path: Path) -> dict[str, str | float]:
    """Targets of one XML file; several boxes of a region are kept one after the other if they say the same."""
    try:
        root, repaired = _parse(path)
    except CorpusError as error:
        reading.problem(path, Kind.UNREADABLE_LABEL, str(error))
        return {}
    if repaired:
        reading.problem(path, Kind.REPAIRED, f"It ends without {_END} and was read as if it stood there.")
    regions: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for element in root.iter("object"):
        name = (element.findtext("name") or "").strip()
        if (said := _NAME.fullmatch(name)) is None:
            reading.problem(
                path, Kind.IMPOSSIBLE_VALUE, f"It names {name[:40]!r}, which is no severity of eyes or mouth."
            )
            continue
        box = _box(element)
        if not box:
            reading.problem(path, Kind.IMPOSSIBLE_VALUE, f"The box of {name} is no rectangle; its severity is kept.")
        regions[said[2].lower()].append((said[1], box, (element.findtext("pose") or "").strip()[:40]))
    targets: dict[str, str | float] = {}
    for region, found in regions.items():
        words = {word for word, _, _ in found}
        if len(words) > 1:
            said_words = " and ".join(sorted(words))
            reading.problem(path, Kind.CONTRADICTION, f"It says {said_words} of the {region}; neither was taken.")
            continue
        targets[f"yfp.{region}"] = words.pop()
        for name, column in (("box", 1), ("pose", 2)):
            if values := list(dict.fromkeys(one[column] for one in found if one[column])):
                targets[f"yfp.{region}_{name}"] = "; ".join(values)
    return targets


def _parse(path: Path) -> tuple[ElementTree.Element, bool]:
    """The root of an XML file, and whether its missing end was put in."""
    text = read_label_text(path, _MAX_XML_BYTES).strip()
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise CorpusError(f"{path.name!r} declares a document type or entities, which is refused; remove them.")
    repaired = _END not in text
    if repaired:
        text = re.sub(r"<[^<>]*$", "", text) + _END
    try:
        # Safe: neither a document type nor an entity is in it, and it is small.
        return ElementTree.fromstring(text), repaired  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise CorpusError(f"{path.name!r} is no XML ({error}); copy it again from where it came.") from None


def _box(element: ElementTree.Element) -> str:
    """`x0 y0 x1 y1` as written, or nothing where they span no rectangle."""
    written = [(element.findtext(f"bndbox/{corner}") or "").strip() for corner in _CORNERS]
    x0, y0, x1, y1 = (number_in(text) for text in written)
    if x0 is None or y0 is None or x1 is None or y1 is None or x0 >= x1 or y0 >= y1:
        return ""
    return " ".join(written)
