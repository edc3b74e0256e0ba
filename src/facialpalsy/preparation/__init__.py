"""Preparation: every picture of a corpus found, aligned and cropped once, with a table that discards nothing."""

from facialpalsy.preparation.prepared import TABLE, Prepared, read_prepared
from facialpalsy.preparation.run import Finished, found_landmarks, prepare

__all__ = ["TABLE", "Finished", "Prepared", "found_landmarks", "prepare", "read_prepared"]
