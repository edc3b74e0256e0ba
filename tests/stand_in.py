"""Stand-ins for the shipped networks: their signatures and laws, with arithmetic that can be done by hand.

The grader:

The asymmetry map is |v - flipped v| of the crop's mean brightness v per place. The grade is the one that was asked for,
a photo's is that of its expression's number, and the affected side is where the pictures are brighter: the sigmoid of
100 (right - left), summed over the photos.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.face import Side
from facialpalsy.weights import ModelCard, Preprocessing, shipped

SIZE, PATCH, HEAT = 112, 7, 16
GRID = SIZE // PATCH
# Rows and columns of the crop's places that each region covers; the subject's right eye is on the image's left.
REGIONS = {
    "forehead": (slice(2, 5), slice(4, 12)),
    "left_eye": (slice(5, 8), slice(9, 12)),
    "right_eye": (slice(5, 8), slice(4, 7)),
    "nose": (slice(7, 10), slice(7, 9)),
    "mouth": (slice(11, 14), slice(5, 11)),
}
FACE = (slice(2, 15), slice(3, 13))
CAUTION = "trained on nobody, a stand-in"


def place(rows: slice, columns: slice) -> np.ndarray:
    """1 inside, 0 outside."""
    grid = np.zeros((GRID, GRID), np.float32)
    grid[rows, columns] = 1
    return grid


def write_stand_in(folder: Path, grade: Sequence[float]) -> ModelCard:
    """Write `grader.onnx` and `grader.json`; `grade` are the six probabilities of every exam."""
    make = pytest.importorskip("onnx", reason="onnx (extra train) is not installed").helper
    is_right = np.arange(GRID) >= GRID // 2
    constants = {
        "one": np.array([1], np.int64),
        "six": np.array(6, np.int64),
        "zero": np.zeros(1, np.float32),
        "zero_or_one": np.array([0, 1], np.float32),
        "backwards": np.arange(GRID)[::-1].astype(np.int64),
        "lean_of_column": np.where(is_right, 200, -200).astype(np.float32) / GRID**2,
        "given_regions": np.stack([place(*REGIONS[name]) for name in REGIONS])[None],
        "given_mask": place(*FACE)[None, None],
        "given_grade": np.array(grade, np.float32),
    }
    nodes = [
        make.make_node("AveragePool", ["images"], ["pooled"], kernel_shape=[PATCH] * 2, strides=[PATCH] * 2),
        make.make_node("ReduceMean", ["pooled", "one"], ["value"]),
        make.make_node("Gather", ["value", "backwards"], ["flipped"], axis=3),
        make.make_node("Sub", ["value", "flipped"], ["difference"]),
        make.make_node("Abs", ["difference"], ["asymmetry"]),
        make.make_node("Mul", ["asymmetry", "zero"], ["nothing"]),
        make.make_node("Add", ["nothing", "given_regions"], ["regions"]),
        make.make_node("Add", ["nothing", "given_mask"], ["mask"]),
        make.make_node("Mod", ["expressions", "six"], ["number"]),
        make.make_node("OneHot", ["number", "six", "zero_or_one"], ["photo_grades"]),
        make.make_node("Identity", ["given_grade"], ["grade"]),
        make.make_node("Mul", ["value", "lean_of_column"], ["leaning"]),
        make.make_node("ReduceSum", ["leaning"], ["leant"], keepdims=0),
        make.make_node("Reshape", ["leant", "one"], ["lean"]),
        make.make_node("Sigmoid", ["lean"], ["side"]),
    ]
    shapes = {
        "grade": [6], "photo_grades": ["n", 6], "side": [1], "regions": ["n", 5, GRID, GRID],
        "mask": ["n", 1, GRID, GRID], "asymmetry": ["n", 1, GRID, GRID],
    }  # fmt: skip
    card = _card("grader", shapes, task="House-Brackmann grade of an exam")
    return _write(folder, card, nodes, constants, shapes)


def write_recogniser(folder: Path, palsy: float) -> ModelCard:
    """Write a recogniser that gives every exam this probability, and each photo and its point its mean brightness."""
    make = pytest.importorskip("onnx", reason="onnx (extra train) is not installed").helper
    constants = {
        "given": np.array([palsy], np.float32),
        "all": np.array([1, 2, 3], np.int64),
        "two": np.array([1, 1, 2], np.int64),
        "each": np.array([1, 2], np.int64),
    }
    nodes = [
        make.make_node("Identity", ["given"], ["palsy"]),
        make.make_node("ReduceMean", ["images", "all"], ["photo_palsy"], keepdims=0),
        make.make_node("Unsqueeze", ["photo_palsy", "each"], ["one"]),
        make.make_node("Expand", ["one", "two"], ["points"]),
    ]
    shapes = {"palsy": [1], "photo_palsy": ["n"], "points": ["n", 1, 2]}
    card = _card("recogniser", shapes, task="whether there is a palsy", thresholds={"palsy": 0.4})
    return _write(folder, card, nodes, constants, shapes)


def write_regions(folder: Path, palsy: Mapping[tuple[str, Side], float]) -> ModelCard:
    """Write a region network that gives every unit and side of an exam its probability p, 0.1 where none is given.

    Its heat map is 2 p - 1 on that side's half of the picture, the subject's left on the right one, and elsewhere the
    brightness that the recogniser gave as the photo's point, less that of the photo: 0.
    """
    make = pytest.importorskip("onnx", reason="onnx (extra train) is not installed").helper
    places = [(unit, side) for unit in PALSY_UNITS for side in Side]
    given = np.array([palsy.get(one, 0.1) for one in places], np.float32)
    heat = np.zeros((1, len(places), HEAT, HEAT), np.float32)
    for number, (_, side) in enumerate(places):
        half = slice(HEAT // 2, HEAT) if side is Side.LEFT else slice(0, HEAT // 2)
        heat[0, number, :, half] = 2 * given[number] - 1
    constants = {
        "given": given,
        "heat": heat,
        "all": np.array([1, 2, 3], np.int64),
        "each": np.array([1, 2], np.int64),
        "last": np.array([3], np.int64),
    }
    nodes = [
        make.make_node("Identity", ["given"], ["palsy"]),
        make.make_node("ReduceMean", ["images", "all"], ["value"]),
        make.make_node("ReduceMean", ["points", "each"], ["point"]),
        make.make_node("Unsqueeze", ["point", "last"], ["there"]),
        make.make_node("Sub", ["there", "value"], ["nothing"]),
        make.make_node("Add", ["nothing", "heat"], ["maps"]),
    ]
    shapes = {"palsy": [len(places)], "maps": ["n", len(places), HEAT, HEAT]}
    card = _card("regions", shapes, task="palsied units", thresholds=dict.fromkeys(PALSY_UNITS, 0.5))
    card = card.model_copy(update={"inputs": {**card.inputs, "points": "(n, 1, 2)"}})
    return _write(folder, card, nodes, constants, shapes)


def _card(name: str, shapes: Mapping[str, Sequence[int | str]], **given: Any) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        file=f"{name}.onnx",
        sha256="0" * 64,
        licence="Apache-2.0",
        trained_on="nobody",
        caution=CAUTION,
        architecture="arithmetic",
        preset="stand-in",
        preprocessing=Preprocessing(size=SIZE, alignment="facialpalsy.face.align"),
        side_convention="left and right are the subject's own in an unmirrored picture",
        inputs={"images": "(n, 3, 112, 112)", "expressions": "(n,)"},
        outputs={output: str(tuple(shape)) for output, shape in shapes.items()},
        metrics={"people": 0},
        never_tested_on=("anybody",),
        made_by="tests/stand_in.py",
        **given,
    )


def _write(
    folder: Path,
    card: ModelCard,
    nodes: Sequence[Any],
    constants: Mapping[str, np.ndarray],
    shapes: Mapping[str, Sequence[int | str]],
) -> ModelCard:
    """Write the network of these nodes and its card, which comes back with the network's hash."""
    onnx = pytest.importorskip("onnx", reason="onnx (extra train) is not installed")
    kinds, make, numbers = onnx.TensorProto, onnx.helper, onnx.numpy_helper
    graph = make.make_graph(
        list(nodes),
        "stand_in",
        [
            make.make_tensor_value_info("images", kinds.FLOAT, ["n", 3, SIZE, SIZE]),
            make.make_tensor_value_info("expressions", kinds.INT64, ["n"]),
            *([make.make_tensor_value_info("points", kinds.FLOAT, ["n", 1, 2])] if "points" in card.inputs else []),
        ],
        [make.make_tensor_value_info(name, kinds.FLOAT, shape) for name, shape in shapes.items()],
        [numbers.from_array(array, name) for name, array in constants.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    card = card.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
    (folder / card.file).write_bytes(data)
    (folder / f"{card.name}.json").write_text(card.to_json())
    return card


@pytest.fixture
def stand_in(tmp_path_factory, monkeypatch):
    """Ship a stand-in that gives every exam these six probabilities; its card comes back. Until then there is none.

    The networks that find faces and their points stay as they are.
    """
    real = shipped.folder()

    def empty() -> Path:
        folder = tmp_path_factory.mktemp("shipped")
        for path in (*real.glob("*landmarker.*"), *real.glob("face_finder.*")):
            shutil.copy(path, folder)
        monkeypatch.setattr(shipped, "folder", lambda: folder)
        return folder

    def ship(grade: Sequence[float] = (0.05, 0.1, 0.5, 0.2, 0.1, 0.05)) -> ModelCard:
        return write_stand_in(empty(), grade)

    empty()
    return ship


@pytest.fixture
def stand_in_recognition(stand_in):
    """Ship a recogniser of this probability and a region network of these, beside what `stand_in` has shipped."""

    def ship(palsy: float = 0.9, units: Mapping[tuple[str, Side], float] | None = None) -> tuple[ModelCard, ModelCard]:
        folder = shipped.folder()
        return write_recogniser(folder, palsy), write_regions(folder, units or {("AU12", Side.LEFT): 0.8})

    return ship
