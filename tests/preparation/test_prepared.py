"""The table: typed rows there and back, and what is no such table is named."""

from dataclasses import replace

import pytest

from facialpalsy.datasets.splits import leave_one_person_out
from facialpalsy.errors import PreparationError, SplitError
from facialpalsy.preparation import TABLE, Prepared, read_prepared
from facialpalsy.preparation.prepared import COLUMNS, write_prepared


def test_every_column_is_there_and_paths_stay_below_the_folder(photo, prepared, tmp_path):
    from pyarrow import parquet

    prepared([photo()], sizes=(256, 224))
    table = parquet.read_table(tmp_path / "out" / TABLE)
    assert set(table.column_names) == {*COLUMNS, "crop_256", "crop_224"}
    (row,) = table.to_pylist()
    assert row["crop_256"].startswith("crops/")
    assert str(tmp_path) not in str(row)
    assert len(row["landmarks"]) == 2 * 478


def test_the_folder_may_be_moved(photo, prepared, tmp_path):
    prepared([photo()])
    (tmp_path / "out").rename(tmp_path / "moved")
    (row,) = read_prepared(tmp_path / "moved")
    assert row.crops[256].is_file()


def test_many_rows_come_back_in_their_order(tmp_path):
    rows = [
        Prepared("c", str(number), f"p{number % 7}", failure="NoFaceError", message="No.") for number in range(2500)
    ]
    write_prepared(tmp_path, rows, (256,))
    assert [row.key for row in read_prepared(tmp_path)] == [row.key for row in rows]


def test_a_table_that_is_not_written_to_its_end_is_none(tmp_path):
    def rows():
        yield Prepared("c", "1", "p")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_prepared(tmp_path, rows(), (256,))
    assert not list(tmp_path.iterdir())


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(PreparationError, match=r"holds no prepared.parquet"):
        read_prepared(tmp_path)


def test_damaged_and_foreign_tables_are_named(photo, prepared, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    prepared([photo()])
    path = tmp_path / "out" / TABLE
    whole = path.read_bytes()
    for content in (b"", b"PAR1", whole[: len(whole) // 2], whole[:200] + b"\0" * 400 + whole[600:]):
        path.write_bytes(content)
        with pytest.raises(PreparationError, match="is damaged"):
            read_prepared(tmp_path / "out")
    parquet.write_table(pa.table({"key": ["a"]}), path)
    with pytest.raises(PreparationError, match="not of the schema"):
        read_prepared(tmp_path / "out")
    parquet.write_table(pa.table({"key": ["a"]}, metadata={"schema": "facialpalsy.prepared/1"}), path)
    with pytest.raises(PreparationError, match="is damaged"):
        read_prepared(tmp_path / "out")


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "crops/../../a.png", "..\\a.png"])
def test_a_table_that_points_outside_its_folder_is_refused(tmp_path, path):
    import pyarrow as pa
    from pyarrow import parquet

    write_prepared(tmp_path, [Prepared("c", "1", "p")], (256,))
    table = parquet.read_table(tmp_path / TABLE)
    table = table.set_column(table.column_names.index("crop_256"), "crop_256", pa.array([path]))
    parquet.write_table(table, tmp_path / TABLE)
    with pytest.raises(PreparationError, match="outside the folder"):
        read_prepared(tmp_path)


def test_names_with_stray_bytes_are_written_escaped(tmp_path):
    write_prepared(tmp_path, [Prepared("c", "a\udcff.png", "é", failure="NoFaceError", message="\udc80")], (256,))
    (row,) = read_prepared(tmp_path)
    assert (row.key, row.subject, row.message) == (r"a\udcff.png", "é", r"\udc80")


def test_prepared_rows_are_split_by_the_hashes_that_they_carry(photo, prepared, drawing, tmp_path):
    samples = [photo(f"{number}.png", drawing(number), subject=f"p{number}") for number in range(4)]
    rows = prepared(samples)
    split = leave_one_person_out(rows)
    assert split == leave_one_person_out(samples)
    for sample in samples:
        sample.path.unlink()
    for fold in split.apply(rows):
        assert len((*fold.train, *fold.val, *fold.test)) == 4
    with pytest.raises(SplitError, match=r"'0.png' \(p0\) = 'copy' \(p1\)"):
        split.apply([*rows, replace(rows[0], key="copy", subject="p1")])
