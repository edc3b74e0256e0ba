"""Store: where installed files live; find, verify and install them.

Two folders are looked at: the one that the environment variable FACIALPALSY_ASSETS names, where it is set, then the
user's data folder, which is the only one that is written to. A file counts only if its SHA-256 is the catalogue's, or
the one that this program wrote into the record beside it after it had checked the contents.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from facialpalsy.errors import (
    AssetArchiveError,
    AssetHashError,
    AssetNotInstalledError,
    InputNotFoundError,
    OutputError,
)
from facialpalsy.weights.catalogue import Asset, find_entry
from facialpalsy.writing import atomic_path, make_folder, remove_partial, write_text

VARIABLE = "FACIALPALSY_ASSETS"
SCHEMA = "facialpalsy.asset/1"

_RECORD_LIMIT = 100_000


@dataclass(frozen=True)
class Installed:
    """One installed file.

    Attributes:
        path: The file.
        folder: The folder in words that name no person.
        size: Bytes.
        sha256: Of the file.
    """

    path: Path
    folder: str
    size: int
    sha256: str


def find_asset(name: str) -> Path:
    """Path of the installed asset `name`; its hash is checked once per process as long as the file stays the same.

    Raises:
        UsageError: the catalogue holds no such name.
        AssetNotInstalledError: it is in neither folder.
        AssetHashError: it is damaged, or another file of that name.
    """
    asset = find_entry(name)
    found = status(asset)
    if found is None:
        raise AssetNotInstalledError(
            f"The {asset.title} is not installed: {asset.file!r} is neither in the folder that {VARIABLE} names nor in "
            f"the user's data folder. Get it from {asset.source}, then run `{asset.command}`."
        )
    return found.path


def status(asset: Asset) -> Installed | None:
    """Where `asset` is installed, verified; None where it is not.

    Raises:
        AssetHashError: the file is damaged, or another one of that name.
    """
    for folder in _folders():
        path = folder / asset.file
        if _is_file(path):
            return _verified(asset, path)
    return None


def install_copy(asset: Asset, source: Path) -> Installed:
    """Store a copy of the file `source`, once it is known to be `asset`.

    Raises:
        InputNotFoundError: there is no such file.
        AssetHashError: it is not the asset; nothing was stored.
        OutputError: it cannot be written.
    """
    data = _read_given(asset, source)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != asset.sha256:
        found = f"{len(data):,} bytes with sha256 {sha256}" if len(data) <= asset.size else "more bytes"
        raise AssetHashError(
            f"{source.name!r} is not the {asset.title}: it has {found}, expected are {asset.size:,} bytes with sha256 "
            f"{asset.sha256}. Nothing was stored; get it again from {asset.source}."
        )
    return install_file(asset, lambda path: _write_bytes(path, data), source.name)


def install_file(asset: Asset, write: Callable[[Path], None], given: str) -> Installed:
    """Store what `write` writes to the path it is handed; its contents must have been checked before.

    The file appears under its name only when it is whole and its record stands beside it.

    Raises:
        OutputError: it cannot be written.
    """
    folder = user_folder()
    try:
        make_folder(folder)
        remove_partial(folder)
        with atomic_path(folder / asset.file) as temporary:
            write(temporary)
            sha256, size = _hash(temporary), temporary.stat().st_size
            write_text(_record_path(folder, asset), json.dumps(_record(asset, given, sha256, size), indent=1) + "\n")
    except OutputError as error:
        reason = getattr(error.__cause__, "strerror", None) or "the disk refused it"
        raise OutputError(
            f"Cannot store {asset.file!r} in {_in_words(folder)}: {reason}. Nothing was left half-written; free some "
            "space or make that folder writable."
        ) from error
    return Installed(folder / asset.file, _in_words(folder), size, sha256)


def user_folder() -> Path:
    """The user's data folder of this program; it need not exist."""
    # Imported here: nothing else needs it.
    import platformdirs

    return platformdirs.user_data_path("facialpalsy", appauthor=False)


def _folders() -> list[Path]:
    named = os.environ.get(VARIABLE)
    return [*([Path(named)] if named else []), user_folder()]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _in_words(folder: Path) -> str:
    """The folder without what would name a person, so that it can be shown to others."""
    if folder != user_folder():
        return f"the folder that {VARIABLE} names"
    data_home = os.environ.get("XDG_DATA_HOME")
    for base, shown in ((data_home and Path(data_home), "$XDG_DATA_HOME"), (Path.home(), "~")):
        if base and folder.is_relative_to(base):
            return f"{shown}/{folder.relative_to(base).as_posix()}"
    return "the user's data folder"


def _verified(asset: Asset, path: Path) -> Installed:
    again = f"Remove it and run `{asset.command}` with what you get from {asset.source}."
    try:
        facts = path.stat()
        sha256 = _cached_hash(path, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise AssetHashError(
            f"{asset.file!r} in {_in_words(path.parent)} cannot be read: {error.strerror or error}. {again}"
        ) from error
    if sha256 not in (asset.sha256, _recorded_hash(asset, path.parent)):
        raise AssetHashError(
            f"{asset.file!r} in {_in_words(path.parent)} is damaged or another file: its sha256 is {sha256} "
            f"({facts.st_size:,} bytes), expected {asset.sha256} ({asset.size:,} bytes). {again}"
        )
    return Installed(path, _in_words(path.parent), facts.st_size, sha256)


def _recorded_hash(asset: Asset, folder: Path) -> str | None:
    """The hash that an installation wrote down for this very catalogue entry, or None."""
    try:
        with _record_path(folder, asset).open("rb") as file:
            record = json.loads(file.read(_RECORD_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(record, dict) and record.get("schema") == SCHEMA and record.get("expected") == asset.sha256
    return str(record.get("sha256")) if known else None


def _read_given(asset: Asset, source: Path) -> bytes:
    """At most one byte more than `asset` has: a larger file is another one."""
    try:
        if not source.exists():
            raise InputNotFoundError(f"{source.name!r} does not exist; check --from.")
        if not source.is_file():
            raise AssetArchiveError(f"{source.resolve().name!r} is a folder or a device; give {asset.accepts}.")
        with source.open("rb") as file:
            return file.read(asset.size + 1)
    except OSError as error:
        reason = error.strerror or error
        raise AssetArchiveError(f"{source.name!r} cannot be read: {reason}; check who may read it.") from error


def _record_path(folder: Path, asset: Asset) -> Path:
    return folder / f"{asset.name}.json"


def _record(asset: Asset, given: str, sha256: str, size: int) -> dict[str, object]:
    facts = asdict(asset)
    shown = {name: facts[name] for name in ("name", "title", "file", "licence", "copyright", "licence_text", "source")}
    return {
        "schema": SCHEMA,
        **shown,
        "given": given,
        "size": size,
        "sha256": sha256,
        "expected": asset.sha256,
        "installed": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=16)
def _cached_hash(path: Path, _size: int, _changed_ns: int) -> str:
    return _hash(path)
