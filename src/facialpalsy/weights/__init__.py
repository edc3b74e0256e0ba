"""Weights: models and data that are installed beside the package, found and verified before they are used."""

from facialpalsy.weights.catalogue import ASSETS, Asset, find_entry
from facialpalsy.weights.store import Installed, find_asset, install_copy, install_file, status

__all__ = [
    "ASSETS",
    "Asset",
    "Installed",
    "find_asset",
    "find_entry",
    "install_copy",
    "install_file",
    "status",
]
