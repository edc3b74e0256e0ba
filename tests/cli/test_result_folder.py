"""Result folder: maps of the grading network are written, belong to a finished result, and leave with it."""

import numpy as np
import pytest

from facialpalsy.analysis import Job, Result
from facialpalsy.cli import result_folder
from facialpalsy.face import IBUG68, Landmarks

from ..report.conftest import landmarks, make_assessment, make_graded, make_maps

JOB = Job("exam", "exam", ())
MAPS = ("map_regions_1.png", "map_asymmetry_1.png")


@pytest.fixture
def written(tmp_path):
    """A folder with the result of one graded capture."""
    points = landmarks()
    assessment = make_graded(make_assessment()).model_copy(update={"fingerprint": "mark"})
    placed = Landmarks(IBUG68, np.array(points.points), points.image_size)
    result = Result(assessment, {0: np.zeros((100, 100, 3), np.uint8)}, {0: placed}, {0: make_maps()})
    result_folder.write(tmp_path, JOB, result, photos=False)
    return tmp_path


def test_maps_are_written_and_belong_to_a_finished_result(written):
    assert all((written / name).is_file() for name in MAPS)
    assert result_folder.finished(written, JOB, "mark") is not None
    (written / MAPS[1]).unlink()
    assert result_folder.finished(written, JOB, "mark") is None


def test_maps_of_an_earlier_run_do_not_stay(written):
    result_folder.prepare(written, JOB)
    assert not list(written.glob("map_*.png"))
