"""Imports: `import facialpalsy` is light, and so is each name that needs no engine."""

import json
import subprocess
import sys

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
    """DESIGN section 1: the room `measure` is NumPy only; face aligns pictures and so brings Pillow."""
    _, modules = imported("import facialpalsy.measure")
    assert not modules & {"torch", "mediapipe", "scipy", "matplotlib", "pydantic", "cv2", "av"}


def test_the_command_line_starts_without_an_engine():
    _, modules = imported("import facialpalsy.cli.main")
    assert not modules & {"torch", "mediapipe", "scipy", "cv2"}


def test_names_are_found_where_they_live():
    _, modules = imported("from facialpalsy import Assessment, analyze, __version__")
    assert not modules & {"torch", "mediapipe", "cv2"}
