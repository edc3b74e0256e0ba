"""Corpus: what was read of a folder of other people's pictures, and everything that was wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from facialpalsy.datasets.sample import Sample
from facialpalsy.datasets.subjects import Options
from facialpalsy.datasets.tree import files_in, folders_in, shown, walk
from facialpalsy.media import PHOTO_SUFFIXES, VIDEO_SUFFIXES

_NAMED = 3


class Kind(StrEnum):
    """What is wrong, or worth knowing."""

    UNREADABLE_IMAGE = "unreadable image"
    BLANK_IMAGE = "blank image"
    UNREADABLE_LABEL = "unreadable label"
    UNREADABLE_FOLDER = "unreadable folder"
    LABEL_WITHOUT_IMAGE = "label without image"
    IMPOSSIBLE_VALUE = "impossible value"
    CONTRADICTION = "contradiction"
    DISAGREEMENT = "raters disagree"
    NO_SUBJECT = "no subject"
    OUTSIDE_ROOT = "path outside the root"
    TWO_SPLITS = "subject in two splits"
    DUPLICATE_ACROSS_PEOPLE = "duplicate across people"
    DUPLICATE = "duplicate"
    NO_SAMPLE = "no sample"
    CLASS_EQUALS_SOURCE = "class equals source"
    NAMES_ALIKE = "names alike"
    IMAGE_WITHOUT_LABEL = "image without label"
    REPAIRED = "repaired label"
    ABSENT = "absent from the corpus"
    LEFT_ASIDE = "left aside"

    @property
    def is_fault(self) -> bool:
        """Whether data are lost or wrong; the other kinds are notes."""
        return self not in _NOTES


_NOTES = frozenset(
    {
        Kind.DUPLICATE,
        Kind.CLASS_EQUALS_SOURCE,
        Kind.NAMES_ALIKE,
        Kind.IMAGE_WITHOUT_LABEL,
        Kind.REPAIRED,
        Kind.ABSENT,
        Kind.LEFT_ASIDE,
    }
)


@dataclass(frozen=True)
class Problem:
    """One row of what is wrong: a path below the root, the kind, and a whole sentence."""

    path: str
    kind: Kind
    message: str


@dataclass(frozen=True)
class Corpus:
    """A corpus as it was found.

    Attributes:
        name: Its layout.
        root: The folder that every path is below.
        samples: Pictures and labelled frames.
        problems: Everything broken, lost or repaired.
        clips: Whole clips of which no frame is labelled; their `frame` is None.
    """

    name: str
    root: Path
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]
    clips: tuple[Sample, ...] = ()


def number_of(count: int, one: str, many: str = "") -> str:
    """`1 picture`, `2 pictures`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


class Reading:
    """A corpus while it is read: a reader adds samples and problems, and never raises over one bad file.

    Attributes:
        name: The layout.
        root: The folder that paths are below.
        source: What the user named, which may be a table instead of a folder.
        options: What the user added.
    """

    def __init__(self, name: str, root: Path, source: Path, options: Options) -> None:
        self.name, self.root, self.source, self.options = name, root, source, options
        self._touched: set[Path] = set()
        self._samples: dict[str, Sample] = {}
        self._clips: dict[str, Sample] = {}
        self._problems: list[Problem] = []

    def add(self, path: Path, subject: str, *, frame: int | None = None, **fields: Any) -> None:
        """Add a picture, or one frame of a clip; `fields` are those of `Sample`."""
        key = self.below(path) if frame is None else f"{self.below(path)}#{frame}"
        self._enter(self._samples, key, path, subject, {"frame": frame, **fields})

    def add_clip(self, path: Path, subject: str, **fields: Any) -> None:
        """Add a clip of which no frame is labelled."""
        self._enter(self._clips, self.below(path), path, subject, fields)

    def belongs(self, path: Path) -> None:
        """Note that a picture is part of a sample, as a mask is, so that it is not told as left aside."""
        self._touched.add(path)

    def problem(self, path: Path | str, kind: Kind, message: str) -> None:
        """Add a row of what is wrong."""
        if isinstance(path, Path):
            self._touched.add(path)
        self._problems.append(Problem(path if isinstance(path, str) else self.below(path), kind, message))

    def files(self, folder: Path, suffixes: Iterable[str]) -> list[Path]:
        """All files below `folder` with one of these suffixes in any case, in natural order."""
        wanted = frozenset(suffixes)
        return [path for path in walk(folder, self.unreadable_folder) if path.suffix.lower() in wanted]

    def unreadable_folder(self, folder: Path, error: OSError) -> None:
        """Add the row of a folder that cannot be listed."""
        self.problem(folder, Kind.UNREADABLE_FOLDER, f"The folder cannot be listed ({error.strerror}).")

    def below(self, path: Path) -> str:
        """`path` below the root with forward slashes, safe to print; its name alone where it lies elsewhere."""
        inside = path.is_relative_to(self.root)
        return shown(path.relative_to(self.root).as_posix() if inside else path.name)

    def tell_unread(self, *, everywhere: bool) -> None:
        """Add a row for each folder with pictures or clips that nothing was made of.

        `everywhere` looks into all folders below the root, else only into those of its folders with a sample.
        """
        unread: dict[Path, list[str]] = defaultdict(list)
        for path in walk(self.root) if everywhere else self._beside_samples():
            if path.suffix.lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES and path not in self._touched:
                unread[path.parent].append(shown(path.name))
        for folder, names in unread.items():
            count = number_of(len(names), "picture or clip", "pictures and clips")
            examples = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            self.problem(folder, Kind.LEFT_ASIDE, f"{count} of this folder in no sample: {examples}.")

    def _beside_samples(self) -> Iterator[Path]:
        """Files of the root, if a sample lies there, and of each folder in it with a sample, at any depth."""
        samples = (*self._samples.values(), *self._clips.values())
        tops = {one.path.relative_to(self.root).parts[0] for one in samples}
        if any(one.path.parent == self.root for one in samples):
            yield from files_in(self.root)
        for folder in folders_in(self.root):
            if folder.name in tops:
                yield from walk(folder)

    def corpus(self) -> Corpus:
        """What was read."""
        samples, clips = tuple(self._samples.values()), tuple(self._clips.values())
        return Corpus(self.name, self.root, samples, tuple(self._problems), clips)

    def _enter(self, where: dict[str, Sample], key: str, path: Path, subject: str, fields: dict[str, Any]) -> None:
        self._touched.add(path)
        if not subject.strip():
            self.problem(key, Kind.NO_SUBJECT, "Nothing says who is seen; every sample needs a subject.")
        elif key in where:
            self.problem(key, Kind.CONTRADICTION, "It is listed twice; the first entry was kept.")
        else:
            where[key] = Sample(self.name, key, shown(subject.strip()), path, **fields)
