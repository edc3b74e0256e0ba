"""Tables 3 and 4 of ViTAU measured anew: losses of the heat maps, and which maps of the generator are read.

python benchmarks/vitau_tables.py --work FOLDER
The document's form: its action units, palsied on either side, heat maps without sides. Each network begins with the
autoencoder of `train_vitau.py` in FOLDER, is trained on the same synthetic people of setting a and tested on others;
further people choose its epoch and its thresholds. The document's rows are quoted beside: of one run each, on frames of
people that were trained on. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.evaluation import bootstrap_rows, words
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.exam_regions import ExamRegions, FlipAveragedRegions
from facialpalsy.models.vitau import PRESETS, RegionSpec
from facialpalsy.training.au_targets import DOCUMENT_UNITS
from facialpalsy.training.augment import plain
from facialpalsy.training.config import RegionTraining
from facialpalsy.training.exams import join
from facialpalsy.training.regions import fit_regions
from facialpalsy.training.synthetic import SyntheticExams
from train_grader import SEED, SETTING

VALIDATION, TEST = range(7000, 7060), range(8000, 8240)
TABLED = ("AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26")
"""The units of the document's tables; it trains AU1 too."""

LOSSES = MappingProxyType(
    {
        "cross_entropy": (71.63, 72.65, 57.80, 65.31, 86.31, 76.53, 46.28, 68.07),
        "kl": (66.46, 66.45, 71.25, 82.09, 99.35, 68.50, 79.39, 76.21),
        "bce": (36.87, 61.75, 61.31, 67.96, 97.50, 69.33, 60.75, 65.07),
        "mse": (76.08, 75.33, 76.18, 86.51, 98.27, 78.72, 78.47, 81.36),
    }
)
"""Table 3: accuracy of each of `TABLED` and their mean, in percent."""

STAGES = MappingProxyType({"early": 80.41, "middle": 79.59, "late": 79.59, "all": 81.36})
"""Table 4: the mean alone."""

Truth = NDArray[np.bool_]


def begun(spec: RegionSpec, autoencoder: Path) -> ExamRegions:
    """A network whose encoder and generator can draw faces."""
    network = spec.network()
    drawn = load_checkpoint(autoencoder, RegionSpec).network.trunk
    network.trunk.encoder.load_state_dict(drawn.encoder.state_dict())
    network.trunk.generator.load_state_dict(drawn.generator.state_dict())
    return network


@torch.inference_mode()
def told(model: Path, exams: SyntheticExams) -> tuple[Truth, Truth]:
    """(exams, TABLED) whether each unit is called palsied on either side, and whether it is."""
    found = load_checkpoint(model, RegionSpec)
    network = FlipAveragedRegions(found.network, range(len(DOCUMENT_UNITS))).eval()
    places = [DOCUMENT_UNITS.index(unit) for unit in TABLED]
    threshold = torch.tensor([found.about["validation"]["thresholds"][unit] for unit in TABLED])
    called, true = [], []
    for number, label in enumerate(exams.labels):
        batch = plain(join([(number, label, exams[number])]), found.spec.image_size)
        called.append((network(batch.images, batch.expressions).palsy[places] >= threshold).numpy())
        true.append((batch.units[0, [PALSY_UNITS.index(unit) for unit in TABLED]] == 1).any(1).numpy())
    return np.array(called), np.array(true)


def balanced(right: Truth, true: Truth) -> float:
    """Mean over the units of the mean of sensitivity and specificity."""
    of_units = [[right[:, at][true[:, at] == kind].mean() for kind in (True, False)] for at in range(right.shape[1])]
    return float(np.mean(of_units))


def row(name: str, right: Truth, true: Truth, subjects: list[str]) -> str:
    """Accuracies in percent, their mean with its interval over people, and the balanced one."""
    mean = bootstrap_rows(lambda drawn: float(right[drawn].mean()), subjects)
    even = bootstrap_rows(lambda drawn: balanced(right[drawn], true[drawn]), subjects)
    cells = [f"{100 * one:.1f}" for one in right.mean(axis=0)]
    return f"| {name} | {' | '.join(cells)} | {words(mean, percent=True)} | {words(even, percent=True)} |"


def main() -> None:
    """Train, test, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--people", type=int, default=480, help="training people")
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    autoencoder = given.work / "autoencoder" / "best_model.safetensors"
    # The tables are of what heat maps say alone.
    spec = replace(PRESETS["small"], points=len(DOCUMENT_UNITS), sides=1, landmarker=None)
    plain_run = RegionTraining(
        spec=spec, units=DOCUMENT_UNITS, epochs=given.epochs, precision="bf16-mixed", num_workers=1
    )

    def people(numbers: range) -> SyntheticExams:
        return SyntheticExams(SEED, SETTING, numbers, plain_run.photo_size, given.work / f"{SETTING}{SEED}")

    tested = people(TEST)
    subjects = [label.subject for label in tested.labels]

    def answers(config: RegionTraining, name: str) -> tuple[Truth, Truth]:
        folder = given.work / f"tables_{given.people}_{given.epochs}" / name
        fitted = fit_regions(
            config,
            people(range(given.people)),
            people(VALIDATION),
            folder,
            folder,
            start=begun(config.spec, autoencoder),
            accelerator="cpu",
        )
        return told(fitted.model, tested)

    losses = {name: answers(replace(plain_run, loss=name), name) for name in LOSSES}
    stages = {
        name: losses["mse"] if name == "all" else answers(replace(plain_run, spec=replace(spec, stages=name)), name)
        for name in STAGES
    }
    print(f"{given.people} training people, {given.epochs} epochs, {len(tested)} others tested; whole exams.")
    for title, rows, quoted in (("Table 3: loss", losses, LOSSES), ("Table 4: maps", stages, STAGES)):
        print(f"\n| {title} | {' | '.join(TABLED)} | mean accuracy | balanced |\n|---|{'---|' * (len(TABLED) + 2)}")
        for name, (called, true) in rows.items():
            print(row(name, called == true, true, subjects))
            print(quoted_row(name, quoted))
        _, true = losses["mse"]
        usual = np.broadcast_to(true.mean(axis=0) > 0.5, true.shape)
        print(row("majority", usual == true, true, subjects))


def quoted_row(name: str, quoted: Mapping[str, float | tuple[float, ...]]) -> str:
    """The document's row."""
    said = quoted[name]
    units, mean = (("",) * len(TABLED), said) if isinstance(said, float) else (said[:-1], said[-1])
    return f"| {name}, the document | {' | '.join(str(one) for one in units)} | {mean} | |"


if __name__ == "__main__":
    main()
