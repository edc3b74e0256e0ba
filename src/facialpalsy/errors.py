"""Errors: every failure a user can meet, by name.

Each message is a whole sentence that says what was found, what is allowed and what to do next. The class
name is what `assessment.json`, `failures.csv` and the command line show beside the message.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FacialPalsyError(Exception):
    """Base of everything that facialpalsy raises on purpose."""


class UsageError(FacialPalsyError, ValueError):
    """A value given by the caller is not allowed."""


class InputNotFoundError(FacialPalsyError):
    """A named file or folder does not exist."""


class EmptyFolderError(FacialPalsyError):
    """A folder holds no picture and no clip."""


class UnreadablePictureError(FacialPalsyError):
    """A picture is empty, truncated, damaged or of an unknown format."""


class PictureTooLargeError(FacialPalsyError):
    """A picture has more pixels than the limit; nothing of it was decoded."""


class UnreadableVideoError(FacialPalsyError):
    """A clip is empty, truncated, damaged or holds no video stream."""


class NoFaceError(FacialPalsyError):
    """No face was found."""


class LandmarkFileError(FacialPalsyError):
    """A landmark file is unreadable, of the wrong size, or does not fit the picture."""


class SwappedSidesError(LandmarkFileError):
    """Left and right of a set of landmarks are exchanged."""


class ExamError(FacialPalsyError):
    """An exam's table or folder contradicts itself."""


class RatingsError(FacialPalsyError):
    """A clinician's ratings file is unreadable or holds an impossible item."""


class NormsError(FacialPalsyError):
    """A table of healthy limits is unreadable or cannot be made from what was given."""


class CorpusError(FacialPalsyError):
    """A corpus, or a table of it, is unreadable or lacks what every sample needs."""


class WrongLayoutError(CorpusError):
    """A folder is not in the layout that was named."""


class LabelsError(FacialPalsyError):
    """A table of a user's own labels or of people is unreadable or contradicts itself."""


class SplitError(FacialPalsyError):
    """A split cannot be made, was changed after it was frozen, or does not fit the people or pictures."""


class PreparationError(FacialPalsyError):
    """A folder of prepared pictures is missing, unreadable or of another version."""


class AssetNotInstalledError(FacialPalsyError):
    """A model or data file that is installed separately is not there."""


class AssetHashError(FacialPalsyError):
    """A model or data file is not the one that is known by its hash."""


class AssetArchiveError(FacialPalsyError):
    """What an asset should be installed from is damaged, incomplete or something else."""


class SyntheticPatientError(UsageError):
    """A synthetic patient is asked for that cannot be: no such setting or grade, or a grade that its kind has not."""


class CheckpointError(FacialPalsyError):
    """Weights of a network are missing, unreadable, or do not fit the configuration."""


class TrainingError(FacialPalsyError):
    """A training cannot go on: its loss is no number, memory does not suffice, or its data do not allow it."""


class OutputError(FacialPalsyError):
    """Results cannot be written: no permission, no space, or a file is in the way."""


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Return `allowed` as a sentence, led by the closest name where one is close.

    >>> did_you_mean("smile_opne", ["rest", "smile_open"])
    "Did you mean 'smile_open'? Allowed are rest, smile_open."
    """
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(found, names, n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Allowed are {', '.join(names)}."
