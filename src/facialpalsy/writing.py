"""Writing: a file appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facialpalsy.errors import OutputError

_PARTIAL = ".partial"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on any failure.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=f"{_PARTIAL}{path.suffix}", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def make_folder(path: Path) -> Path:
    """Create `path` and its parents, or raise an OutputError that says why not."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    return path


def remove_partial(folder: Path) -> None:
    """Remove from `folder` what a killed process left half-written."""
    with suppress(OSError):
        for path in folder.glob(f".*{_PARTIAL}*"):
            path.unlink()


def output_error(path: Path, error: OSError) -> OutputError:
    """An OutputError for `path` from what the operating system said."""
    return OutputError(
        f"Cannot write {path.name!r}: {error.strerror or error}. Nothing was left half-written; "
        "free some space or choose another --out folder that you may write to."
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
