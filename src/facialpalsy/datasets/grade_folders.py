"""Grade folders: photos sorted into `grade_1` to `grade_6`, each named after who is seen.

The person is the folder below the grade's, or else the part of the file's name up to its first underscore, hyphen, dot
or blank: `patient001_left.jpg` shows `patient001`. A rule that ends early can only take two people for one, which keeps
together what might have been apart.
"""

from __future__ import annotations

import re
from pathlib import Path

from facialpalsy.datasets.corpus import Corpus, Reading, number_of
from facialpalsy.datasets.csv_table import parse_grade
from facialpalsy.datasets.tree import child, folders_in, named
from facialpalsy.errors import CorpusError
from facialpalsy.media import PHOTO_SUFFIXES

NAME = "grades"
EXPECTED = "folders grade_1 to grade_6, or a folder FNP that holds them"
PERSON = r"(?:^|/)([^/_\-. ]+)[^/]*$"
"""The rule as a regular expression that is searched for in a path."""

_GRADE = re.compile(r"grade[ _-]?(\w+)", re.IGNORECASE)
_INNER = "FNP"


def looks_like(root: Path) -> bool:
    """Whether `root`, or the folder FNP in it, holds folders of grades."""
    return any(_GRADE.fullmatch(folder.name) for folder in folders_in(_undone(root)))


def read(reading: Reading) -> None:
    """Every photo with the grade of its folder and the person of its name.

    Raises:
        CorpusError: a folder's name is no House-Brackmann grade, so that the others may be counted otherwise too.
    """
    root = _undone(reading.source)
    for folder in folders_in(root):
        if (found := _GRADE.fullmatch(folder.name)) is None:
            continue
        grade = parse_grade(found[1])
        if grade is None:
            raise CorpusError(
                f"The folder {named(folder)} names no House-Brackmann grade; allowed are grade_1 to grade_6. Rename it "
                "(where grades were counted from 0 to 5, each is one more)."
            )
        for path in reading.files(folder, PHOTO_SUFFIXES):
            reading.add(path, _person(path.relative_to(folder)), grade=grade)


def rule_of(corpus: Corpus) -> str:
    """How people were read, and how many that gives, for the user to check."""
    people = len({sample.subject for sample in corpus.samples})
    return (
        "People are read from file names, up to the first underscore, hyphen, dot or blank (patient001_left.jpg is "
        f"patient001), or from folders within those of grades: {number_of(people, 'person', 'people')} in "
        f"{number_of(len(corpus.samples), 'photo')}. If that is wrong, give a table with a column subject."
    )


def _person(path: Path) -> str:
    if len(path.parts) > 1:
        return path.parts[0]
    found = re.search(PERSON, path.name)
    return found[1] if found else ""


def _undone(root: Path) -> Path:
    """`root`, or the folder FNP in it where the grades lie one level deeper."""
    return child(root, _INNER) or root
