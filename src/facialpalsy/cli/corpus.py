"""Corpus: a corpus as it is named on the command line, with the user's own people and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facialpalsy.datasets import LAYOUTS, Corpus, join_labels, merge_people, read_corpus

LayoutName = Annotated[
    str | None, typer.Option(metavar="NAME", help=f"{', '.join(LAYOUTS)}; recognised by its folders by default.")
]
Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Your own labels: subject,capture,scale,item,value,rater.")
]
People = Annotated[Path | None, typer.Option(metavar="FILE", help="Which folders are one person: folder,person.")]
SubjectFrom = Annotated[
    str | None, typer.Option(metavar="REGEX", help="Finds the subject in a path below the root (csv, aflfp).")
]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder that the paths of a table are below (csv).")
]
GradesFromZero = Annotated[bool, typer.Option("--grades-from-zero", help="Grades of a table run from 0 to 5 (csv).")]


def read_named(
    root: Path,
    layout: str | None,
    *,
    labels: Path | None,
    people: Path | None,
    subject_from: str | None,
    data_root: Path | None,
    zero_based: bool,
) -> Corpus:
    """The corpus at `root`, its people merged and labels joined; a layout that was recognised is said."""
    corpus = read_corpus(root, layout, subject_from=subject_from, data_root=data_root, zero_based=zero_based)
    if layout is None:
        typer.echo(f"It looks like {corpus.name}.", err=True)
    if people is not None:
        corpus = merge_people(corpus, people)
    if labels is not None:
        corpus = join_labels(corpus, labels)
    return corpus
