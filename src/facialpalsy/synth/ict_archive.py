"""ICT archive: the face model ICT-FaceKit from its zip archive, a folder, or an already converted file.

What is read counts only if every array is bit for bit the one that the catalogue knows, however the files were packed,
so that nothing of a foreign file reaches a renderer unchecked.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import TypeVar

import numpy as np

from facialpalsy.errors import AssetArchiveError, AssetHashError, InputNotFoundError
from facialpalsy.synth.ict_obj import (
    EXPRESSIONS,
    FILES,
    IDENTITIES,
    MATERIALS,
    NEUTRAL,
    TEXTURE_VERTICES,
    TRIANGLES,
    VERTICES,
    Arrays,
    convert,
)
from facialpalsy.weights import find_entry

_File = TypeVar("_File")

_LAYOUT: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "V": ("<f4", (VERTICES, 3)),
    "VT": ("<f4", (TEXTURE_VERTICES, 2)),
    "F": ("<i4", (TRIANGLES, 3)),
    "FT": ("<i4", (TRIANGLES, 3)),
    "M": ("|u1", (TRIANGLES,)),
    "mats": ("<U15", (len(MATERIALS),)),
    "E": ("<f2", (len(EXPRESSIONS), VERTICES, 3)),
    "ex": ("<U16", (len(EXPRESSIONS),)),
    "I": ("<f2", (len(IDENTITIES), VERTICES, 3)),
}

# An OBJ of the model has 2.6 MB and the archive 133 MB, or 417 MB unpacked; what is far beyond is not the model.
_LARGEST_OBJ = 8_000_000
_LARGEST_ARCHIVE = 2**30
_HEADER_BYTES = 4096
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, TypeError, SyntaxError, TokenError, MemoryError,
)  # fmt: skip
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_face_model(source: Path) -> Arrays:
    """The face model from a zip archive, a folder, or the converted npz.

    Args:
        source: GitHub's archive of the repository, or a zip of its folder `FaceXModel` or of the OBJ files in it; the
            same unpacked; or a file made by `write_face_model`.

    Returns:
        Arrays by name: V (26719, 3) neutral vertices in cm, VT (28911, 2) texture vertices, F and FT (52220, 3)
        triangles as indices into V and VT, M (52220,) indices into mats, E (57, 26719, 3) and I (100, 26719, 3)
        differences from V in the order of ex and of IDENTITIES.

    Raises:
        InputNotFoundError: `source` does not exist.
        AssetArchiveError: it is damaged, incomplete or something else.
        AssetHashError: it holds a face model, but not the known one.
    """
    with _named_faults(source):
        if not source.exists():
            raise InputNotFoundError(f"{source.name!r} does not exist; check --from.")
        arrays = _from_folder(source) if source.is_dir() else _from_zip(source)
        _check_contents(arrays, source.name)
    return arrays


def write_face_model(path: Path, arrays: Arrays) -> None:
    """Write the arrays as a compressed npz; `path` must end in `.npz`."""
    np.savez_compressed(path, **arrays)


def _from_folder(folder: Path) -> Arrays:
    places = (folder, folder / "FaceXModel", *sorted(folder.glob("*/FaceXModel")))
    found = [{name: place / f"{name}.obj" for name in FILES} for place in places]
    files = _the_model([{name: path for name, path in one.items() if path.is_file()} for one in found], folder.name)

    def read(name: str) -> bytes:
        with files[name].open("rb") as file:
            return _bounded(file.read(_LARGEST_OBJ + 1), name)

    return convert(read)


def _from_zip(path: Path) -> Arrays:
    if not path.is_file():
        raise AssetArchiveError(f"{path.name!r} is a device, not a file or folder; name the archive.")
    if path.stat().st_size > _LARGEST_ARCHIVE:
        raise AssetArchiveError(f"{path.name!r} has more than 1 GiB; the archive of ICT-FaceKit has 0.13 GB.")
    with zipfile.ZipFile(path) as archive:
        if "V.npy" in archive.namelist():
            return _from_arrays(archive, path.name)
        folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = {}
        for member in archive.infolist():
            name = PurePosixPath(member.filename)
            if name.suffix == ".obj" and name.stem in FILES:
                folders.setdefault(name.parent, {})[name.stem] = member
        files = _the_model(list(folders.values()), path.name)
        return convert(lambda name: _bounded(_unpack(archive, files[name], _LARGEST_OBJ), name))


def _the_model(folders: Sequence[Mapping[str, _File]], given: str) -> Mapping[str, _File]:
    """The one folder that holds all files of the model."""
    if sum(NEUTRAL in files for files in folders) > 1:
        raise AssetArchiveError(f"{given!r} holds the face model more than once; name one of them with --from.")
    files = max(folders, key=len, default={})
    missing = [f"{name}.obj" for name in FILES if name not in files]
    if missing:
        shown = ", ".join(missing[:3]) + (" and more" if len(missing) > 3 else "")
        raise AssetArchiveError(
            f"{given!r} lacks {len(missing)} of the {len(FILES)} OBJ files of ICT-FaceKit ({shown}); give the whole "
            "archive, with its folder FaceXModel."
        )
    return files


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """At most `limit` bytes and one more of a member: no more is unpacked, whatever the archive says."""
    if member.compress_type not in _METHODS:
        raise AssetArchiveError(f"{member.filename!r} is packed in an unusual way; give the archive as published.")
    with archive.open(member) as file:
        return file.read(limit + 1)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > _LARGEST_OBJ:
        raise AssetArchiveError(f"'{name}.obj' has more than {_LARGEST_OBJ / 1e6:g} MB; those of ICT-FaceKit have 2.6.")
    return data


def _from_arrays(archive: zipfile.ZipFile, given: str) -> Arrays:
    """The arrays of a converted npz: no more than their known size is unpacked, and no pickle is."""
    arrays = {}
    for name, (kind, shape) in _LAYOUT.items():
        if f"{name}.npy" not in archive.namelist():
            raise AssetArchiveError(f"{given!r} lacks the array {name}; it must hold {', '.join(_LAYOUT)}.")
        dtype = np.dtype(kind)
        limit = dtype.itemsize * math.prod(shape) + _HEADER_BYTES
        data = _unpack(archive, archive.getinfo(f"{name}.npy"), limit)
        if len(data) > limit:
            raise AssetArchiveError(f"The array {name} of {given!r} is larger than {dtype} {shape}.")
        array = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(array, np.ndarray) or (array.dtype, array.shape) != (dtype, shape):
            found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "no array"
            raise AssetArchiveError(f"The array {name} of {given!r} is {found}; expected {dtype} {shape}.")
        arrays[name] = array
    if (tuple(arrays["mats"]), tuple(arrays["ex"])) != (MATERIALS, EXPRESSIONS):
        raise AssetArchiveError(f"{given!r} names other materials or expressions than ICT-FaceKit.")
    return arrays


def _check_contents(arrays: Arrays, given: str) -> None:
    """Refuse arrays that are not bit for bit the known ones."""
    asset = find_entry("ict-facekit")
    for name, expected in asset.contents.items():
        found = hashlib.sha256(arrays[name].astype(_LAYOUT[name][0]).tobytes()).hexdigest()
        if found != expected:
            raise AssetHashError(
                f"{given!r} holds a face model, but not the known one: the sha256 of its array {name} is {found}, "
                f"expected {expected}. Nothing was stored; get {asset.source}."
            )


@contextmanager
def _named_faults(source: Path) -> Iterator[None]:
    """Turn what the libraries raise about damaged files into errors with a name."""
    try:
        yield
    except OSError as error:
        raise AssetArchiveError(
            f"{source.name!r} cannot be read: {error.strerror or error}; check who may read it, or get it again."
        ) from error
    except _DAMAGE as error:
        raise AssetArchiveError(
            f"{source.name!r} is no whole zip archive or npz ({str(error)[:80]!r}); get it again, it may have been cut "
            "short."
        ) from error
    except RuntimeError as error:  # what zipfile raises of encrypted members and unknown ways of packing
        raise AssetArchiveError(f"{source.name!r} is encrypted or packed in an unusual way ({error}).") from error
