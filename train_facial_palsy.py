"""Train the grader with the flags of the source document; `facialpalsy train grader` is the same code.

python train_facial_palsy.py --data_root ./datasets/facial_palsy/FNP --use_micro_attention --use_roi_module
"""

from __future__ import annotations

import sys
from pathlib import Path

from facialpalsy.cli.document_flags import Flags, add_data_flags, add_network_flags, network_given
from facialpalsy.cli.exam_data import DATASET_TYPES, Source
from facialpalsy.cli.main import exit_code
from facialpalsy.cli.training_run import Tables, run_training, training_of
from facialpalsy.errors import UsageError

SETTINGS = ("epochs", "batch_size", "learning_rate", "weight_decay", "seed", "num_workers", "save_interval")


def train(arguments: list[str]) -> None:
    """Train as the flags say."""
    flags = Flags(description=__doc__.splitlines()[0])
    add_data_flags(flags)
    flags.add_argument("--train_csv", type=Path, help="table of training pictures, image_path below --data_root")
    flags.add_argument("--val_csv", type=Path, help="table of validation pictures")
    add_network_flags(flags, defaults=True)
    flags.add_argument("--batch_size", type=int, default=32)
    flags.add_argument("--epochs", type=int, default=100)
    flags.add_argument("--learning_rate", type=float, default=1e-4)
    flags.add_argument("--weight_decay", type=float, default=1e-4)
    flags.add_argument("--pretrained_path", type=Path, help="weights to begin with")
    flags.add_argument("--save_dir", type=Path, default=Path("checkpoints"))
    flags.add_argument("--log_dir", type=Path, default=Path("logs"))
    flags.add_argument("--save_interval", type=int, default=10, help="epochs between states to resume from")
    flags.add_argument("--seed", type=int, default=0)
    options = flags.parse_args(arguments)
    if options.val_csv is not None and options.train_csv is None:
        raise UsageError("--val_csv was given without --train_csv; give both, or neither to split by person.")
    # Adam, cross-entropy and a learning rate halved on a plateau, as in the document.
    document = {"schedule": "plateau", "loss": "cross_entropy", "label_smoothing": 0.0}
    settings = {name: getattr(options, name) for name in SETTINGS} | document
    config = training_of("grader", "paper", network_given(options), settings)
    jobs = max(1, options.num_workers)
    data: Source | Tables = Source(options.data_root, DATASET_TYPES[options.dataset_type], jobs=jobs)
    if options.train_csv is not None:
        data = Tables(options.train_csv, options.val_csv, options.data_root, jobs)
    run_training(config, data, options.save_dir, options.log_dir, pretrained=options.pretrained_path)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: train(sys.argv[1:])))
