"""Document flags: the flags that both commands of the source document share, with their names and defaults."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from facialpalsy.cli.exam_data import DATASET_TYPES
from facialpalsy.errors import UsageError

NETWORK: Mapping[str, int | float | list[int]] = {
    "image_size": 224,
    "patch_size": 7,
    "num_classes": 6,
    "dim": 256,
    "heads": 3,
    "num_hierarchies": 3,
    "block_repeats": [2, 2, 10],
    "num_roi_regions": 5,
    "asymmetry_weight": 0.5,
    "dropout": 0.1,
}
"""Flag of the network -> the document's value."""

MODULES = ("use_micro_attention", "use_roi_module")


class Flags(argparse.ArgumentParser):
    """Flags whose faults are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise it as a wrong value."""
        raise UsageError(f"{message[0].upper()}{message[1:]}; --help lists every flag.")


def add_data_flags(flags: Flags) -> None:
    """Where the pictures are."""
    flags.add_argument("--data_root", type=Path, default=Path("datasets/facial_palsy"), help="folder of the pictures")
    flags.add_argument("--dataset_type", choices=list(DATASET_TYPES), default="FNP", help="how the folder is laid out")
    flags.add_argument("--num_workers", type=int, default=4, help="processes that prepare and read pictures")


def add_network_flags(flags: Flags, *, defaults: bool) -> None:
    """What the network is like; without `defaults` what is not given is left to the model's file."""
    for name, value in NETWORK.items():
        many = {"type": int, "nargs": "+"} if isinstance(value, list) else {"type": type(value)}
        flags.add_argument(f"--{name}", default=value if defaults else None, help=f"the document's: {value}", **many)
    for name in MODULES:
        flags.add_argument(f"--{name}", action="store_true", default=False if defaults else None)


def network_given(options: argparse.Namespace) -> dict[str, Any]:
    """Name -> value of what was given of the network."""
    given = {name: getattr(options, name) for name in (*NETWORK, *MODULES)}
    if given["block_repeats"] is not None:
        given["block_repeats"] = tuple(given["block_repeats"])
    return {name: value for name, value in given.items() if value is not None}
