"""Datasets: other people's corpora as samples, read in place and never copied."""

from facialpalsy.datasets.aflfp import read_pts
from facialpalsy.datasets.corpus import Corpus, Kind, Problem
from facialpalsy.datasets.labels import join_labels, merge_people
from facialpalsy.datasets.layouts import LAYOUTS, read_corpus, recognise
from facialpalsy.datasets.points import ORIGIN, read_points
from facialpalsy.datasets.sample import Sample

__all__ = [
    "LAYOUTS",
    "ORIGIN",
    "Corpus",
    "Kind",
    "Problem",
    "Sample",
    "join_labels",
    "merge_people",
    "read_corpus",
    "read_points",
    "read_pts",
    "recognise",
]
