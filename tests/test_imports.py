"""Imports: `import facialpalsy` is light, and so is each name that needs no engine."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import facialpalsy

HEAVY = ("torch", "mediapipe", "scipy", "matplotlib", "pydantic", "cv2", "numpy", "PIL", "av", "pandas")
_ASK = (
    "import json, sys, time; start = time.perf_counter(); {statement}; "
    "print(json.dumps([time.perf_counter() - start, sorted(name for name in sys.modules if '.' not in name)]))"
)


def imported(statement):
    """Seconds and top-level modules of a fresh process that runs `statement`."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK.format(statement=statement)], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, modules = json.loads(done.stdout)
    return seconds, set(modules)


def test_the_package_imports_nothing_heavy_and_quickly():
    runs = [imported("import facialpalsy") for _ in range(3)]
    assert not runs[0][1] & set(HEAVY)
    assert min(seconds for seconds, _ in runs) < 0.5


def test_measures_need_numpy_alone():
    """The room `measure` is NumPy only; face aligns pictures and so brings Pillow."""
    _, modules = imported("import facialpalsy.measure")
    assert not modules & {"torch", "mediapipe", "scipy", "matplotlib", "pydantic", "cv2", "av"}


def test_the_command_line_starts_without_an_engine():
    _, modules = imported("import facialpalsy.cli.main")
    assert not modules & {"torch", "mediapipe", "scipy", "cv2"}


def test_names_are_found_where_they_live():
    _, modules = imported("from facialpalsy import Assessment, analyze, __version__")
    assert not modules & {"torch", "mediapipe", "cv2"}


SOURCES = sorted(Path(facialpalsy.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "schemes.py"], ids=lambda path: path.stem)
def test_landmark_indices_live_in_schemes_alone(path):
    """No number picks a point out of a set of points; columns are no points."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Subscript) and getattr(node.value, "attr", None) in ("points", "repeats"):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            picked = parts[0] if node.value.attr == "points" else parts[min(1, len(parts) - 1)]
            assert not isinstance(picked, ast.Constant), f"{path.name}, line {node.lineno}"


@pytest.mark.parametrize("engine", ["mediapipe", "skimage", "socket", "urllib.request"])
def test_each_engine_has_one_door_and_there_is_no_network(engine):
    doors = {"mediapipe": {"mediapipe.py", "face_landmarker.py"}}.get(engine, set())
    for path in SOURCES:
        names = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module)
        found = {name for name in names if name == engine or name.startswith(f"{engine}.")}
        assert not found or path.name in doors, path.name


def test_the_default_engine_looks_at_a_picture_without_mediapipe():
    _, modules = imported(
        "import numpy; from facialpalsy.detect import open_detector; "
        "assert open_detector('own').tracker().update(numpy.zeros((90, 90, 3), 'uint8')) is None"
    )
    assert not modules & {"mediapipe", "cv2", "jax"}


def test_measures_are_reached_through_the_package():
    _, modules = imported("import facialpalsy; facialpalsy.measure.panel")
    assert "mediapipe" not in modules
