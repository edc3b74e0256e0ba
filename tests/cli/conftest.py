"""The command line in this process and in its own, and small pictures of the public-domain astronaut."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from facialpalsy.cli.main import main
from facialpalsy.detect import check_installed
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.report import overlay_name

_RUN = "from facialpalsy.cli.main import run; run()"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys) -> Callable[..., Ran]:
    """Run a command in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


def started(*arguments: object, new_session: bool = False) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    command = [sys.executable, "-c", _RUN, *map(str, arguments)]
    pipe = subprocess.PIPE
    # What runs in the background ignores the key that stops a run, and would hand that down.
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=new_session, preexec_fn=_listen
    )


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    return started


@pytest.fixture(scope="session")
def portrait() -> Callable[..., Image.Image]:
    """The astronaut's face, 92 px wide, cut out `x` and `y` pixels further on."""
    data = pytest.importorskip("skimage.data", reason="scikit-image (extra demo) is not installed")
    whole = Image.fromarray(data.astronaut())

    def cut(x: int = 0, y: int = 0, zoom: float = 1) -> Image.Image:
        part = whole.crop((140 + x, 20 + y, 300 + x, 204 + y))
        return part if zoom == 1 else part.resize((round(160 * zoom), round(184 * zoom)), Image.Resampling.LANCZOS)

    return cut


@pytest.fixture
def photos(portrait, tmp_path) -> Callable[..., Path]:
    """A folder of pictures of these names, no two of them alike."""

    def make(*names: str, folder: str = "in") -> Path:
        root = tmp_path / folder
        for number, name in enumerate(names):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            portrait(x=number % 7 - 3, y=number // 7).save(path)
        return root

    return make


@pytest.fixture
def landmarker() -> str:
    """Name of the optional landmark engine, where it is installed."""
    try:
        check_installed("face-landmarker")
    except AssetNotInstalledError as error:
        pytest.skip(str(error))
    return "face-landmarker"


def strict(text: str) -> dict:
    """JSON without NaN and Infinity, which are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in the JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def results() -> Callable[[Path], dict[str, dict]]:
    """Every assessment below a folder, without the time of its run."""

    def read(out: Path) -> dict[str, dict]:
        found = {}
        for path in sorted(out.rglob("assessment.json")):
            found[path.parent.relative_to(out).as_posix()] = strict(path.read_text("utf-8"))
            del found[path.parent.relative_to(out).as_posix()]["created"]
        return found

    return read


@pytest.fixture
def no_report(monkeypatch) -> None:
    """Leave the pages and overlays empty, where only numbers and tables matter."""

    def touch(folder: Path, assessment, _pictures, **_) -> None:
        maps = (name for one in assessment.captures for name in one.maps.values())
        for name in ("report.html", *(overlay_name(*one) for one in enumerate(assessment.captures)), *maps):
            (folder / name).touch()

    monkeypatch.setattr("facialpalsy.cli.result_folder.write_report", touch)
