"""Sample: one picture of one person, with what its corpus says about it and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Mirrored, ReferenceSide


@dataclass(frozen=True)
class Sample:
    """One picture, or one frame of a clip, of one person.

    Attributes:
        corpus: Name of the layout that it was read by.
        key: Unique name within the corpus: the path below its root with forward slashes, `#12` after it for a frame.
        subject: Who is seen; the unit of every split.
        path: The picture or clip.
        frame: Number of the frame in a clip, from 0; None for a picture.
        capture: Which capture of the subject it belongs to (a sequence, an exam, a clip).
        expression: What the subject does, where the corpus says so in the terms of an exam.
        affected: Affected side, the subject's own; UNKNOWN where the corpus does not say, NONE for healthy people.
        mirrored: Whether the picture was mirrored.
        grade: House-Brackmann grade 1-6, only where the corpus itself or the user's own table gives one.
        split: `train`, `val` or `test` where the corpus or the user's table fixes it.
        targets: Native labels as they are, by a name that starts with the corpus, as `yfp.eyes` -> `StrongPalsy`.
        landmarks: File with the corpus's own points, in its own format.
    """

    corpus: str
    key: str
    subject: str
    path: Path
    frame: int | None = None
    capture: str = ""
    expression: Expression | None = None
    affected: ReferenceSide = ReferenceSide.UNKNOWN
    mirrored: Mirrored = Mirrored.UNKNOWN
    grade: int | None = None
    split: str | None = None
    targets: Mapping[str, str | float] = field(default_factory=dict)
    landmarks: Path | None = None

    def __post_init__(self) -> None:
        if not self.subject.strip():
            raise ValueError(f"{self.key}: a sample needs a subject")
        if self.grade is not None and self.grade not in range(1, 7):
            raise ValueError(f"{self.key}: a grade is 1 to 6, not {self.grade}")
