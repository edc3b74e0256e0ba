"""Inputs: which photos, clips and exams lie behind the paths that a user gives."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Sequence, Set
from pathlib import Path

from facialpalsy.analysis.exam_table import FILE_NAME as EXAM_TABLE
from facialpalsy.analysis.exam_table import ExamRow, read_exam_table
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Job, Settings
from facialpalsy.assessment import Failure
from facialpalsy.clinical.expressions import ORDERS, Expression
from facialpalsy.detect import LANDMARK_SUFFIXES
from facialpalsy.errors import (
    EmptyFolderError,
    ExamError,
    FacialPalsyError,
    InputNotFoundError,
    UnreadablePictureError,
    UsageError,
    did_you_mean,
)
from facialpalsy.media import PHOTO_SUFFIXES, VIDEO_SUFFIXES

RATINGS_TABLE = "ratings.csv"

# What a batch writes beside the folders of its results, which can then not be called so.
_TAKEN_NAMES = {
    "measures.csv", "exams.csv", "changes.csv", "failures.csv", "exams", "index.html", "report.html", "assessment.json",
}  # fmt: skip

# Results may lie below the folder of the pictures, and their overlays and maps are pictures too.
_OVERLAY = re.compile(r"overlay_\d+_.+\.png|map_(regions|asymmetry|palsy)_\d+\.png", re.DOTALL)


def find_jobs(paths: Sequence[str | Path], settings: Settings) -> tuple[list[Job], list[tuple[str, FacialPalsyError]]]:
    """The jobs behind `paths`, in a stable order and with unique names, and the inputs that give none, with the reason.

    A path that is given twice counts once; an empty one is an error, not the current folder. A folder is an exam if it
    holds `exam.csv`, if two or more of its names state an expression, or if an order is given; otherwise its pictures
    are independent, and so are its subfolders. Overlays of an earlier run are left aside.

    Raises:
        UsageError: an unknown order, or one file of ratings or landmarks for several inputs.
    """
    if settings.order is not None and settings.order not in ORDERS:
        raise UsageError(f"Unknown order {settings.order!r}. {did_you_mean(settings.order, list(ORDERS))}")
    jobs: list[Job] = []
    errors: list[tuple[str, FacialPalsyError]] = []
    if "" in paths:
        problem = "An empty path was given; name a photo, a clip or a folder (a dot is the current folder)."
        errors.append(("", InputNotFoundError(problem)))
    for path in _distinct([Path(path) for path in paths if path != ""]):
        found: list[Job] = []
        refused: list[tuple[str, FacialPalsyError]] = []
        is_folder = _is_folder(path)
        for part, root in [(folder, path) for folder in _folders(path)] if is_folder else [(path, path.parent)]:
            name = _encodable(part.relative_to(root).as_posix()) if part != root else _name(part)
            try:
                # A table may name pictures of its subfolders, which are not independent then.
                taken = {capture.path for job in found for capture in job.captures}
                found += _folder_jobs(part, root, settings, taken) if is_folder else [_file_job(part, root, settings)]
                refused += [(_name(other), _no_picture(other)) for other in _unread_files(part)] if is_folder else []
            except FacialPalsyError as error:
                refused.append((name, error))
            except OSError as error:
                problem = f"{_name(part)!r} cannot be opened ({error.strerror}); check the path and who may read it."
                refused.append((name, InputNotFoundError(problem)))
        if not found and not refused:
            refused.append((_name(path), _empty_folder(path)))
        jobs += found
        errors += refused
    _check_belongings(jobs, settings)
    return _with_unique_names(jobs), errors


def _check_belongings(jobs: Sequence[Job], settings: Settings) -> None:
    """One file of ratings belongs to one exam, one file of landmarks to one picture."""
    if settings.ratings is not None and len(jobs) > 1:
        raise UsageError(
            f"--ratings belongs to one exam, but {len(jobs)} inputs were given; "
            f"put each exam's {RATINGS_TABLE} into its folder instead."
        )
    taken: dict[Path, CaptureRequest] = {}
    is_folder = settings.landmarks is not None and settings.landmarks.is_dir()
    for request in (request for job in jobs for request in job.captures if is_folder):
        if request.landmarks is None or not request.landmarks.is_file():
            continue
        other = taken.setdefault(request.landmarks, request)
        if other.path != request.path:
            raise UsageError(
                f"The landmark file {request.landmarks.name!r} would be taken for both {other.source!r} and "
                f"{request.source!r}; analyse them in separate calls, or name one file per picture by its whole path "
                f"below the folder given with _ for /, such as {request.source.replace('/', '_')}.json."
            )
    pictures = sum(len(job.captures) for job in jobs)
    if settings.landmarks is not None and settings.landmarks.is_file() and pictures > 1:
        raise UsageError(
            f"--landmarks {settings.landmarks.name} belongs to one picture, but {pictures} were given; "
            "give a folder with one landmark file per picture, named like it."
        )


def _distinct(paths: Sequence[Path]) -> list[Path]:
    """The paths without those that lead to the same place as an earlier one."""
    found: dict[Path, Path] = {}
    for path in paths:
        try:
            place = path.resolve()
        except (OSError, RuntimeError, ValueError):  # links in a circle, or no valid name: refused when it is read
            place = path
        found.setdefault(place, path)
    return list(found.values())


def _empty_folder(path: Path) -> EmptyFolderError:
    return EmptyFolderError(
        f"The folder {_name(path)!r} holds no picture and no clip; allowed are {_allowed_suffixes()}."
    )


def _no_picture(path: Path) -> UnreadablePictureError:
    return UnreadablePictureError(
        f"{_name(path)!r} is no picture and no clip that can be read, by the ending of its name; "
        f"allowed are {_allowed_suffixes()}."
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long for the system
        return False


def _name(path: Path) -> str:
    """Name of a path for messages, also of `.`."""
    return _encodable(path.name or path.resolve().name)


def _folders(root: Path) -> list[Path]:
    """`root` and all folders below it; links are not followed, so that there is no way round in circles."""
    try:
        children = [child for child in _visible(root) if child.is_dir() and not child.is_symlink()]
    except OSError:  # reading the folder itself will say why
        children = []
    return [root, *(folder for child in sorted(children, key=_natural) for folder in _folders(child))]


def _folder_jobs(folder: Path, root: Path, settings: Settings, taken: Set[Path]) -> list[Job]:
    """The jobs of one folder, its subfolders and the files already `taken` left aside."""
    if (folder / EXAM_TABLE).is_file():
        return [_table_exam(folder, root, settings)]
    files = [path for path in _media_files(folder) if path not in taken]
    if files and settings.order is not None:
        return [_ordered_exam(folder, root, files, settings)]
    if sum(Expression.from_name(path.stem) is not None for path in files) >= 2:
        return [_named_exam(folder, root, files, settings)]
    return [_file_job(path, root, settings) for path in files]


def _file_job(path: Path, root: Path, settings: Settings) -> Job:
    if not path.exists():
        raise InputNotFoundError(f"There is no file or folder {_name(path)!r}; check the path.")
    if not path.is_file():
        raise UnreadablePictureError(f"{_name(path)!r} is no regular file; give a photo, a clip or a folder.")
    suffix = path.suffix.lower()
    if suffix not in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        raise _no_picture(path)
    request = _request(path, root, settings, Expression.from_name(path.stem))
    return Job(
        name=_job_name(*path.relative_to(root).parent.parts, path.stem),
        kind="clip" if suffix in VIDEO_SUFFIXES else "photo",
        captures=(request,),
        header=ExamHeader(reference_side=settings.reference_side),
        ratings=settings.ratings,
    )


def _named_exam(folder: Path, root: Path, files: list[Path], settings: Settings) -> Job:
    requests = [_request(path, root, settings, Expression.from_name(path.stem)) for path in files]
    return _exam(folder, root, requests, ExamHeader(reference_side=settings.reference_side), settings)


def _ordered_exam(folder: Path, root: Path, files: list[Path], settings: Settings) -> Job:
    order = ORDERS[settings.order or ""]
    pictures = [path for path in files if path.suffix.lower() in PHOTO_SUFFIXES]
    if len(pictures) != len(order):
        raise ExamError(
            f"The order {settings.order!r} has {len(order)} captures ({', '.join(order)}), but the folder "
            f"{_name(folder)!r} holds {len(pictures)} pictures; add or remove pictures, or name them in {EXAM_TABLE}."
        )
    requests = [_request(path, root, settings, expression) for path, expression in zip(pictures, order, strict=True)]
    return _exam(folder, root, requests, ExamHeader(reference_side=settings.reference_side), settings)


def _table_exam(folder: Path, root: Path, settings: Settings) -> Job:
    header, rows, failures = read_exam_table(folder)
    if not rows and not failures:
        # The table speaks of the exam only: its captures are those that the names state.
        rows = [ExamRow(path, Expression.from_name(path.stem), None) for path in _media_files(folder)]
    if not rows and not failures:
        raise _empty_folder(folder)
    if header.reference_side == "unknown":
        header = ExamHeader(**{**vars(header), "reference_side": settings.reference_side})
    requests = [_request(row.path, root, settings, row.expression, row.mirrored or settings.mirrored) for row in rows]
    return _exam(folder, root, requests, header, settings, tuple(failures))


def _exam(
    folder: Path,
    root: Path,
    requests: list[CaptureRequest],
    header: ExamHeader,
    settings: Settings,
    failures: tuple[Failure, ...] = (),
) -> Job:
    own_ratings = folder / RATINGS_TABLE
    return Job(
        name=_job_name(*(folder.relative_to(root).parts or [folder.resolve().name])),
        kind="exam",
        captures=tuple(sorted(requests, key=_in_exam_order)),
        header=header,
        ratings=settings.ratings or (own_ratings if own_ratings.is_file() else None),
        failures=failures,
    )


def _in_exam_order(request: CaptureRequest) -> int:
    """Rest first, then as an exam is taken, then what has no expression; several takes stay in their order."""
    order = list(Expression)
    return len(order) if request.expression is None else order.index(request.expression)


def _request(
    path: Path, root: Path, settings: Settings, expression: Expression | None, mirrored: str | None = None
) -> CaptureRequest:
    return CaptureRequest(
        path=path,
        source=_encodable(path.relative_to(root).as_posix()),
        expression=expression or settings.expression,
        mirrored=type(settings.mirrored)(mirrored or settings.mirrored),
        landmarks=_landmark_file(path, root, settings.landmarks),
    )


def _landmark_file(path: Path, root: Path, landmarks: Path | None) -> Path | None:
    """The landmark file of one picture: the file given, or the one named like the picture in the folder given."""
    if landmarks is None or not landmarks.is_dir():
        return landmarks
    # The whole name first: of two pictures `a/rest.jpg` and `b/rest.jpg`, neither may take the other's points.
    below = path.relative_to(root)
    places = [landmarks / below.as_posix().replace("/", "_")]
    # The folder of an earlier run has a folder per exam, or per picture.
    places += [
        landmarks / _job_name(*parts) / path.stem for parts in (below.parent.parts, (*below.parent.parts, path.stem))
    ]
    places += [landmarks / path.stem]
    candidates = [
        place.with_name(f"{prefix}{place.name}{suffix}")
        for place in places
        for prefix in ("", "landmarks_")
        for suffix in LANDMARK_SUFFIXES
    ]
    # Where there is none, reading the name that `analyze` itself would give says so for this picture alone.
    wanted = landmarks / f"landmarks_{path.stem}.json"
    return next((candidate for candidate in candidates if candidate.is_file()), wanted)


def _media_files(folder: Path) -> list[Path]:
    suffixes = PHOTO_SUFFIXES | VIDEO_SUFFIXES
    files = [path for path in _visible(folder) if path.is_file() and path.suffix.lower() in suffixes]
    return sorted((path for path in files if not _OVERLAY.fullmatch(path.name)), key=_natural)


def _unread_files(folder: Path) -> list[Path]:
    """Pictures and clips of kinds that are not read; what a table does not name is left aside."""
    if (folder / EXAM_TABLE).is_file():
        return []
    others = [path for path in _visible(folder) if path.suffix.lower() not in PHOTO_SUFFIXES | VIDEO_SUFFIXES]
    kinds = {path: mimetypes.guess_type(path.name)[0] or "" for path in others if path.is_file()}
    # Drawings and icons are no photos that someone could miss.
    photos = [path for path, kind in kinds.items() if re.match(r"(image|video)/(?!svg|vnd\.microsoft\.icon)", kind)]
    return sorted(photos, key=_natural)


def _visible(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if not entry.name.startswith(".")]


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key that puts `Normal8_2` before `Normal8_10`, and `rest.jpg` before `rest-2.jpg`."""
    parts = re.split(r"(\d+)", path.stem.casefold())
    return [*((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts), (1, 0, path.suffix)]


def _job_name(*parts: str) -> str:
    """A file-system name for results: the path below the root, with control and reserved characters replaced."""
    return re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", _encodable("_".join(parts))).strip(" .") or "_"


def _encodable(name: str) -> str:
    """A name that can be written as UTF-8: bytes of an old disk that mean nothing become question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _with_unique_names(jobs: list[Job]) -> list[Job]:
    taken: set[str] = set()
    unique = []
    for job in jobs:
        first = f"{job.name}_" if job.name.casefold() in _TAKEN_NAMES else job.name
        name, number = first, 2
        while name.casefold() in taken:
            name, number = f"{first}-{number}", number + 1
        taken.add(name.casefold())
        unique.append(Job(**{**vars(job), "name": name}))
    return unique


def _allowed_suffixes() -> str:
    return " ".join(sorted(PHOTO_SUFFIXES | VIDEO_SUFFIXES))
