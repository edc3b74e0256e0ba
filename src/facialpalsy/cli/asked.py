"""Asked: a network that is evaluated, one that somebody trained or one that comes with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.face import Side
from facialpalsy.weights import GRADER, OF_EXAMS, RECOGNISER, REGIONS, find_card, open_model

if TYPE_CHECKING:
    from facialpalsy.training.exams import Needed

Arrays = Mapping[str, NDArray[Any]]

NEEDED: Mapping[str, Needed] = {GRADER: "grade", RECOGNISER: "palsy", REGIONS: "unit"}
"""Kind of network -> label that photos must have to evaluate it."""

_PALSY = "palsy"


@dataclass(frozen=True)
class Asked:
    """A network, ready to be asked of one exam after the other.

    Attributes:
        name: Name in tables: that of its file's folder and file, or of the shipped network.
        kind: grader, recogniser or regions.
        size: Side of the photos that it takes.
        run: From `images` (n, 3, size, size) in 0..1 and `expressions` (n,) to its outputs by name.
        questions: What it answers yes or no -> probability from which it is yes; empty for a grader.
        seen: Marks of the people that it was trained on; None for a shipped one, which saw synthetic people alone.
        folder: Where it lies, with the split of its training; None for a shipped one.
    """

    name: str
    kind: str
    size: int
    run: Callable[[Arrays], Arrays]
    questions: Mapping[str, float]
    seen: tuple[str, ...] | None
    folder: Path | None


def asked(model: str) -> Asked:
    """The network of a file, or the shipped one of that name.

    Raises:
        CheckpointError: the file is missing, damaged, or does not say whom it was trained on.
        AssetNotInstalledError: no network of that name comes with this copy.
    """
    if model in OF_EXAMS and not Path(model).exists():
        card = find_card(model)
        return Asked(
            f"shipped {model}",
            model,
            card.preprocessing.size,
            open_model(model).run,
            _questions(model, PALSY_UNITS, len(Side), card.thresholds),
            None,
            None,
        )
    return _trained(Path(model))


def _trained(path: Path) -> Asked:
    try:
        from facialpalsy.analysis.explain import TrainedNetwork
    except ImportError as missing:
        raise UsageError(
            f"A trained model needs {missing.name}; install it with `pip install 'facialpalsy[train]'`."
        ) from missing
    found = TrainedNetwork(path)
    seen = found.about.get("seen")
    if not isinstance(seen, list):
        raise CheckpointError(
            f"{found.path.name!r} does not say whom it was trained on, as models of `facialpalsy train {found.kind}` "
            "do: train it by that command."
        )
    validation = found.about.get("validation", {})
    decided = {_PALSY: validation.get("decision", {}).get("threshold", 0.5), **validation.get("thresholds", {})}
    units = found.about.get("training", {}).get("units", PALSY_UNITS)
    questions = _questions(found.kind, units, getattr(found.spec, "sides", len(Side)), decided)
    name = f"{found.path.parent.name}/{found.path.name}"
    return Asked(name, found.kind, found.spec.image_size, found.run, questions, tuple(seen), found.path.parent)


def _questions(kind: str, units: Any, sides: int, thresholds: Mapping[str, float]) -> dict[str, float]:
    if kind == RECOGNISER:
        return {_PALSY: thresholds.get(_PALSY, 0.5)}
    if kind == REGIONS:
        ends = [f" {side}" for side in Side] if sides == len(Side) else [""]
        return {unit + end: thresholds.get(unit, 0.5) for unit in units for end in ends}
    return {}


def photos_of(images: NDArray[np.uint8], expressions: NDArray[np.int64]) -> Arrays:
    """What a network is given of the (n, 3, size, size) photos of an exam."""
    return {"images": images.astype(np.float32) / 255, "expressions": expressions}
