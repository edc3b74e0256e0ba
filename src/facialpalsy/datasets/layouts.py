"""Layouts: every corpus layout by name, and which one a folder looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from facialpalsy.datasets import (
    aflfp,
    bp4d,
    ckplus,
    csv_table,
    disfa,
    grade_folders,
    meei,
    neuroface,
    synth_corpus,
    yfp,
)
from facialpalsy.datasets.corpus import Corpus, Reading
from facialpalsy.datasets.subjects import Options, subject_rule
from facialpalsy.datasets.tree import entries, folders_in, named
from facialpalsy.errors import InputNotFoundError, UsageError, WrongLayoutError, did_you_mean

_NAMED_AT_MOST = 5
_LOOKED_INTO = 20
_LEVELS_UP = 3


@dataclass(frozen=True)
class Layout:
    """How one corpus is told from others and read.

    Attributes:
        expected: What its root holds, in words.
        looks_like: Whether a root holds that.
        read: Fills a reading.
        takes: Options that mean something to it.
        folders_are_labels: Whether the top folders are the corpus's own classes.
        owns_root: Whether everything below the root belongs to it.
        is_searched_for: Whether it is told by any file below the root, so that it may also be told far above its root.
    """

    expected: str
    looks_like: Callable[[Path], bool]
    read: Callable[[Reading], None]
    takes: frozenset[str] = frozenset()
    folders_are_labels: bool = False
    owns_root: bool = True
    is_searched_for: bool = False


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "synth": Layout(synth_corpus.EXPECTED, synth_corpus.looks_like, synth_corpus.read),
        "csv": Layout(
            csv_table.EXPECTED,
            csv_table.looks_like,
            csv_table.read,
            frozenset({"--subject-from", "--data-root", "--grades-from-zero"}),
            owns_root=False,
        ),
        grade_folders.NAME: Layout(
            grade_folders.EXPECTED, grade_folders.looks_like, grade_folders.read, folders_are_labels=True
        ),
        "ckplus": Layout(ckplus.EXPECTED, ckplus.looks_like, ckplus.read),
        "disfa": Layout(disfa.EXPECTED, disfa.looks_like, disfa.read),
        "bp4d": Layout(bp4d.EXPECTED, bp4d.looks_like, bp4d.read),
        "meei": Layout(meei.EXPECTED, meei.looks_like, meei.read, folders_are_labels=True),
        "yfp": Layout(yfp.EXPECTED, yfp.looks_like, yfp.read),
        "neuroface": Layout(
            neuroface.EXPECTED, neuroface.looks_like, neuroface.read, folders_are_labels=True, is_searched_for=True
        ),
        "aflfp": Layout(
            aflfp.EXPECTED, aflfp.looks_like, aflfp.read, frozenset({"--subject-from"}), is_searched_for=True
        ),
    }
)
"""Name -> layout, in the order in which a folder is held against them."""


def recognise(root: Path) -> str | None:
    """The layout that `root` looks like, or None; a folder of several corpora looks like none of them."""
    for name, layout in LAYOUTS.items():
        if _looks_like(name, root):
            inner = folders_in(root)[:_LOOKED_INTO] if layout.is_searched_for else ()
            return None if any(_told_by_name(folder) for folder in inner) else name
    return None


def read_corpus(
    root: Path,
    layout: str | None = None,
    *,
    subject_from: str | None = None,
    data_root: Path | None = None,
    zero_based: bool = False,
) -> Corpus:
    """Everything in the corpus at `root`, read in place; what is broken is a problem of the result, not an error.

    Args:
        root: The corpus's folder; for `csv` a table, or a folder of tables.
        layout: One of `LAYOUTS`; None takes the one that `root` looks like.
        subject_from: Regular expression that finds the subject in a path below the root (`csv`, `aflfp`).
        data_root: Folder that the paths of a table are below; the table's own by default (`csv`).
        zero_based: The grades of a table run from 0 to 5 (`csv`).

    Raises:
        InputNotFoundError: there is no such root.
        WrongLayoutError: `root` is not in that layout; says which one it looks like.
        UsageError: an unknown layout, or an option that the layout has no use for.
        CorpusError: a table is unreadable or does not say who is seen.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UsageError(f"Unknown layout {layout!r}. {did_you_mean(layout, LAYOUTS)}")
    if not _exists(root):
        raise InputNotFoundError(f"There is no {named(root)}; check the path of the corpus.")
    name = layout if layout is not None else recognise(root)
    if name is None or not _looks_like(name, root):
        raise _wrong_layout(root, name)
    given = {"--subject-from": subject_from, "--data-root": data_root, "--grades-from-zero": zero_based or None}
    for option, value in given.items():
        if value is not None and option not in LAYOUTS[name].takes:
            raise UsageError(f"{option} means nothing to the layout {name}; leave it out.")
    if data_root is not None and not data_root.is_dir():
        raise InputNotFoundError(f"There is no folder {named(data_root)}; check --data-root.")
    rule = subject_rule(subject_from) if subject_from is not None else None
    options = Options(rule, data_root, zero_based)
    folder = root.parent if root.is_file() else root
    reading = Reading(name, data_root if data_root is not None else folder, root, options)
    LAYOUTS[name].read(reading)
    reading.tell_unread(everywhere=LAYOUTS[name].owns_root)
    return reading.corpus()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def _looks_like(name: str, root: Path) -> bool:
    try:
        return LAYOUTS[name].looks_like(root)
    except OSError:
        return False


def _told_by_name(root: Path) -> bool:
    return any(_looks_like(name, root) for name, layout in LAYOUTS.items() if not layout.is_searched_for)


def _wrong_layout(root: Path, name: str | None) -> WrongLayoutError:
    wanted = f"{named(root)} is in no layout known here"
    if name is not None:
        wanted = f"{named(root)} is not in the layout {name}, which holds {LAYOUTS[name].expected}"
    return WrongLayoutError(f"{wanted}. {_hint(root)}")


def _hint(root: Path) -> str:
    """What `root`, or a folder below or above it, looks like instead."""
    if (found := recognise(root)) is not None:
        return f"It looks like {found}; give --layout {found}."
    if root.is_file():
        return csv_table.missing_header(root)
    try:
        folders, files = entries(root)
    except OSError as error:
        return f"It cannot be listed ({error.strerror}); check who may read it."
    for folder in folders[:_LOOKED_INTO]:
        if (found := recognise(folder)) is not None:
            return f"But its folder {named(folder)} looks like {found}; give that folder."
    for level, folder in enumerate(root.resolve().parents[:_LEVELS_UP]):
        found = recognise(folder)
        if found is not None and not (level and LAYOUTS[found].is_searched_for):
            return f"But the folder {named(folder)} above it looks like {found}; give that folder."
    names = [named(one) for one in (*folders, *files)[:_NAMED_AT_MOST]]
    return f"It holds {', '.join(names) or 'nothing'}; known are {', '.join(LAYOUTS)}."
