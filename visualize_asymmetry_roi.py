"""Show what a trained grader looks at, with the flags of the source document; `facialpalsy explain` is the same code.

python visualize_asymmetry_roi.py --model_path ./checkpoints/best_model.pth --data_root ./datasets/facial_palsy/FNP
"""

from __future__ import annotations

import sys
from pathlib import Path

from facialpalsy.cli.document_flags import Flags, add_data_flags, add_network_flags, network_given
from facialpalsy.cli.exam_data import DATASET_TYPES, Source
from facialpalsy.cli.explain import run_explanation
from facialpalsy.cli.main import exit_code


def visualize(arguments: list[str]) -> None:
    """Write the maps as the flags say."""
    flags = Flags(description=__doc__.splitlines()[0])
    flags.add_argument("--model_path", type=Path, required=True, help="the model, or best_model.pth beside it")
    add_data_flags(flags)
    flags.add_argument("--test_csv", type=Path, help="table of the pictures to show, image_path below --data_root")
    add_network_flags(flags, defaults=False)
    flags.add_argument("--num_samples", type=int, default=5)
    flags.add_argument("--batch_size", type=int, default=8)
    flags.add_argument("--output_dir", type=Path, default=Path("visualizations"))
    options = flags.parse_args(arguments)
    run_explanation(
        options.model_path,
        Source(options.data_root, DATASET_TYPES[options.dataset_type], jobs=max(1, options.num_workers)),
        options.output_dir,
        table=options.test_csv,
        stated=network_given(options),
        samples=options.num_samples,
        batch_size=options.batch_size,
    )


if __name__ == "__main__":
    sys.exit(exit_code(lambda: visualize(sys.argv[1:])))
