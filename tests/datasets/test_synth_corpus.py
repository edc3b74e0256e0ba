"""Synth corpus: the table of rendered patients."""

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets import read_corpus
from facialpalsy.errors import CorpusError
from facialpalsy.face import Mirrored, ReferenceSide

pa = pytest.importorskip("pyarrow", exc_type=ImportError)
pq = pytest.importorskip("pyarrow.parquet", exc_type=ImportError)


@pytest.fixture
def write(tmp_path, picture):
    """Write a corpus whose table has these columns beside the usual ones."""

    def make(**columns):
        for name in ("images/0", "images/1", "zones/0"):
            picture(tmp_path / f"synth/{name}.png")
        base = {
            "path": ["images/0.png", "images/1.png"], "subject": ["s0", "s1"], "capture": ["exam", "exam"],
            "take": [0, 1], "expression": ["smile_open", "rest"], "mirrored": ["no", "no"],
            "affected": ["left", "none"], "grade": pa.array([4, None], pa.int8()),
            "grade_withheld": [None, "healthy"], "function_brow": [0.25, 1.0], "operated": [True, False],
            "zones": ["zones/0.png", None], "points68": [[1.0, 2.0], [3.0, 4.0]],
        }  # fmt: skip
        pq.write_table(pa.table(base | columns), tmp_path / "synth/labels.parquet")
        return tmp_path / "synth"

    return make


def test_a_corpus_whose_run_was_stopped_says_how_to_finish_it(tmp_path, text):
    text(tmp_path / "synth/corpus.json", "{}")
    (tmp_path / "synth/parts").mkdir()
    with pytest.raises(CorpusError, match=r"run was stopped\. Run the same `facialpalsy synth` again"):
        read_corpus(tmp_path / "synth")


def test_fields_and_targets_come_from_columns_by_name(write, read):
    found = read(write(), "synth")
    one, other = found.corpus.samples
    assert (one.key, one.subject, one.capture, one.grade) == ("images/0.png", "s0", "exam", 4)
    assert (one.affected, one.expression, one.mirrored) == (ReferenceSide.LEFT, Expression.SMILE_OPEN, Mirrored.NO)
    assert one.targets == {
        "synth.take": 0.0, "synth.function_brow": 0.25, "synth.operated": 1.0, "synth.zones": "zones/0.png",
    }  # fmt: skip
    assert (other.grade, other.affected) == (None, ReferenceSide.NONE)
    assert other.targets["synth.grade_withheld"] == "healthy"
    assert not found.corpus.problems


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"path": ["images/0.png", "images/9.png"]}, "label without image"),
        ({"path": ["images/0.png", "../images/1.png"]}, "path outside the root"),
        ({"path": ["images/0.png", "/images/1.png"]}, "path outside the root"),
        ({"path": ["images/0.png", None]}, "path outside the root"),
        ({"path": ["images/0.png", "images/0.png"]}, "contradiction"),
        ({"subject": ["s0", ""]}, "no subject"),
        ({"grade": [4, 7]}, "impossible value"),
        ({"grade": [4, 0]}, "impossible value"),
        ({"affected": ["left", "up"]}, "impossible value"),
        ({"expression": ["rest", "grin"]}, "impossible value"),
    ],
)
def test_a_wrong_row_is_told_and_the_other_stays(write, read, columns, kind):
    found = read(write(**columns), "synth")
    assert "images/0.png" in found.samples
    assert len(found.problems[kind]) == 1


def test_a_table_that_is_none_or_lacks_the_subject_is_a_named_error(write, read):
    root = write()
    pq.write_table(pa.table({"path": ["images/0.png"]}), root / "labels.parquet")
    with pytest.raises(CorpusError, match="no column subject"):
        read(root, "synth")
    (root / "labels.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(CorpusError, match="no Parquet table"):
        read(root, "synth")
