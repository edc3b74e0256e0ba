"""Train the shipped recogniser and region network on synthetic people of settings a and c.

python benchmarks/train_vitau.py autoencoder --work FOLDER   # it begins the regions
python benchmarks/train_vitau.py regions --work FOLDER       # its encoder begins the recogniser
python benchmarks/train_vitau.py recogniser --work FOLDER
All three take some hours on 2 cores, and train_vitau_reader.py goes on with what is made. People are rendered once.
Other people of both settings choose the epoch. A training that was stopped goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from torch import nn

from facialpalsy.models.checkpoint import kind_of, load_checkpoint
from facialpalsy.models.vit import ExamRecogniser, RecogniserSpec
from facialpalsy.models.vitau import RegionSpec
from facialpalsy.training.config import RecogniserTraining, RegionTraining, Training
from facialpalsy.training.recogniser import fit_recogniser
from facialpalsy.training.regions import fit_autoencoder, fit_regions
from facialpalsy.training.synthetic import SyntheticExams
from facialpalsy.training.task import BEST_MODEL
from train_grader import OTHERS, SEED, SETTING, VALIDATION, ExamsOfAll

FIT = {"autoencoder": fit_autoencoder, "regions": fit_regions, "recogniser": fit_recogniser}
BEFORE = {"autoencoder": "", "regions": "autoencoder", "recogniser": "regions"}
EPOCHS = {"autoencoder": 1, "regions": 6, "recogniser": 6}


def begun(network: str, config: Training, file: Path) -> nn.Module | None:
    """What the training of a network begins with."""
    if network == "autoencoder":
        return None
    if network == "recogniser" and kind_of(file) == "recogniser":
        return load_checkpoint(file, RecogniserSpec).network
    found = load_checkpoint(file, RegionSpec).network
    if network == "regions":
        return found
    recogniser: ExamRecogniser = config.spec.network()
    recogniser.trunk.vit.patch_embed.begin_with(found.trunk.encoder)
    return recogniser


def people_in(work: Path, numbers: range, size: int) -> ExamsOfAll:
    """The people of these numbers in both settings."""
    return ExamsOfAll(
        [SyntheticExams(SEED, setting, numbers, size, work / f"{setting}{SEED}") for setting in (SETTING, OTHERS)]
    )


def main() -> None:
    """Train one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=FIT)
    parser.add_argument("--work", type=Path, default=Path("build/train_vitau"))
    parser.add_argument("--people", type=int, default=2400, help="training people of each setting")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--begin", type=Path, help="model to begin with; that of the step before if not given")
    given = parser.parse_args()
    training: type[Training] = RecogniserTraining if given.network == "recogniser" else RegionTraining
    plain = training()
    config = replace(
        plain,
        # What reads points is trained by train_vitau_reader.py.
        spec=replace(plain.spec, landmarker=None),
        epochs=given.epochs or EPOCHS[given.network],
        precision="bf16-mixed",
        num_workers=1,
    )

    found = FIT[given.network](
        config,
        people_in(given.work, range(given.people), config.photo_size),
        people_in(given.work, VALIDATION, config.photo_size),
        given.work / given.network,
        given.work / given.network,
        start=begun(given.network, config, given.begin or given.work / BEFORE[given.network] / BEST_MODEL),
    )
    print(f"{found.model}: epoch {found.epoch}")


if __name__ == "__main__":
    main()
