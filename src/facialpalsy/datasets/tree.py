"""Tree: the folders of other people's corpora, listed in natural order, in any spelling of their names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

OnError = Callable[[Path, OSError], None]

# A workbook that is open leaves a lock `~$name.xlsx` beside it.
_HIDDEN = (".", "~$")
_SYSTEM_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_DOUBLED_AT_MOST = 3
_LOOKED_INTO = 200


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key that puts `frame_2` before `frame_10`, folder by folder."""
    parts = re.findall(r"(\d+)|([^\d]+)", path.as_posix().casefold())
    return [
        (0, int(digits), digits) if digits.isascii() and digits else (1, 0, digits + text) for digits, text in parts
    ]


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files directly in `folder`; hidden files, locks and those of operating systems are left out.

    Raises:
        OSError: it cannot be listed.
    """
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.name.startswith(_HIDDEN) and entry.name.lower() not in _SYSTEM_NAMES:
                (folders if _is_folder(entry) else files).append(Path(entry.path))
    return sorted(folders, key=natural), sorted(files, key=natural)


def folders_in(folder: Path, on_error: OnError | None = None) -> list[Path]:
    """Folders directly in `folder`; none where it cannot be listed, which `on_error` is told."""
    try:
        return entries(folder)[0]
    except OSError as error:
        if on_error is not None:
            on_error(folder, error)
        return []


def files_in(folder: Path) -> list[Path]:
    """Files directly in `folder`; none where it cannot be listed."""
    try:
        return entries(folder)[1]
    except OSError:
        return []


def walk(folder: Path, on_error: OnError | None = None) -> Iterator[Path]:
    """All files below `folder`, each folder before its subfolders; links are followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            stat = here.stat()
            folders, files = entries(here)
        except OSError as error:
            if on_error is not None:
                on_error(here, error)
            continue
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            yield from files
            waiting += reversed(folders)


def child(folder: Path, *names: str) -> Path | None:
    """The folder in `folder` with one of these names, told without case, blanks, hyphens and underscores."""
    plain = {_plain(name) for name in names}
    return next((one for one in folders_in(folder) if _plain(one.name) in plain), None)


def find_folder(folder: Path, *names: str, depth: int = 2) -> Path | None:
    """The folder with one of these names at most `depth` levels below `folder`, the shallowest; undoubled."""
    level = [folder]
    for _ in range(depth):
        found = next((one for here in level if (one := child(here, *names)) is not None), None)
        if found is not None:
            return undoubled(found)
        level = [inner for here in level for inner in folders_in(here)[:_LOOKED_INTO]]
    return None


def holds_parts(root: Path, name: str, *others: str) -> bool:
    """Whether `root` holds the folder `name`, itself or in the folder of an archive.

    It does not where one folder in it holds `name` and one of the `others` alike: then that one is the corpus.
    """
    if child(root, name) is not None:
        return True
    holders = [folder for folder in folders_in(root)[:_LOOKED_INTO] if child(folder, name) is not None]
    return bool(holders) and not any(find_folder(folder, other) for folder in holders for other in others)


def undoubled(folder: Path) -> Path:
    """The innermost of folders of one name in each other, as some archives unpack (`Image/Image`)."""
    for _ in range(_DOUBLED_AT_MOST):
        inner = child(folder, folder.name)
        if inner is None:
            break
        folder = inner
    return folder


def named(path: Path) -> str:
    """The name of a file or folder in quotes, safe to print; of `.` and `..` the name of what they are."""
    return repr(shown(path.name if path.name not in ("", "..") else path.resolve().name))


def shown(text: str) -> str:
    """`text` with whatever cannot be printed written as an escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False
