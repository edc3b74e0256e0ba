"""The source document's two scripts, run as it says on folders of graded photos, and what is wrong in one sentence."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("lightning")
pytest.importorskip("numba")

from facialpalsy.cli.exam_data import mark
from facialpalsy.cli.main import exit_code
from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.splits import read_split
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.registry import GraderSpec
from facialpalsy.synth.stream import PatientStream

ROOT = Path(__file__).resolve().parents[1]
SMALL = (
    "--image_size",
    "56",
    "--dim",
    "24",
    "--block_repeats",
    "1",
    "1",
    "2",
    "--use_micro_attention",
    "--use_roi_module",
)
SMILE = list(Expression).index(Expression.SMILE_OPEN)


def run(script, *arguments, cwd):
    """A script in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """12 synthetic smiles in folders of grades, and what the document's training command makes of them."""
    folder = tmp_path_factory.mktemp("document")
    people = PatientStream(seed=7)
    try:
        for number in range(12):
            picture = people.picture(number * len(Expression) + SMILE)
            path = folder / f"FNP/grade_{number % 6 + 1}/patient{number:03d}_left.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.frame.pixels).save(path)
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
    given = ("--num_roi_regions", "5", "--batch_size", "4", "--epochs", "1", "--learning_rate", "0.0001")
    done = run("train_facial_palsy.py", "--data_root", "./FNP", *SMALL, *given, "--num_workers", "0", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


def test_training_writes_what_the_document_names(trained):
    folder, said = trained
    assert "patient001_left.jpg is patient001" in said and "12 people in 12 photos" in said
    assert "a single photo is no exam" in said
    loaded = load_checkpoint(folder / "checkpoints/best_model.pth", GraderSpec)
    assert (loaded.spec.image_size, loaded.spec.patch_size, loaded.spec.dim, loaded.spec.heads) == (56, 7, 24, 3)
    assert loaded.spec.block_repeats == (1, 1, 2) and loaded.spec.position == "scalar"
    assert (loaded.spec.dropout, loaded.spec.asymmetry_weight) == (0.1, 0.5)
    training = loaded.about["training"]
    assert (training["schedule"], training["loss"], training["weight_decay"]) == ("plateau", "cross_entropy", 1e-4)
    (row,) = json.loads((folder / "logs/training_history.json").read_text())
    named = {"epoch", "train_loss", "train_acc", "val_loss", "val_acc", "val_f1_macro", "val_mean_class_acc"}
    assert named <= row.keys()
    assert list((folder / "logs").glob("events.out.tfevents.*"))
    assert read_split(folder / "checkpoints/split.json").people == {f"patient{number:03d}" for number in range(12)}


def test_visualising_writes_what_the_document_names(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "test.csv").write_text(
        "image_path,grade,side,split\n"
        + "".join(f"grade_{n + 1}/patient{n:03d}_left.png,{n + 1},left,test\n" for n in range(6))
        + "grade_1/patient006_left.png,1,left,train\n"
    )
    done = run(
        "visualize_asymmetry_roi.py", "--model_path", folder / "checkpoints/best_model.pth", "--data_root",
        folder / "FNP", "--test_csv", tmp_path / "test.csv", "--use_micro_attention", "--use_roi_module",
        "--num_samples", 2, "--num_workers", 0, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = tmp_path / "visualizations"
    assert {path.name for path in out.glob("*.png")} == {
        "sample_1_visualization.png", "sample_2_visualization.png", "asymmetry_analysis.png"
    }  # fmt: skip
    with Image.open(out / "sample_1_visualization.png") as sheet, Image.open(out / "asymmetry_analysis.png") as bars:
        assert sheet.size == (900, 990) and bars.size == (960, 380)
        assert not sheet.info.get("Software")
    report = (out / "asymmetry_report.txt").read_text("utf-8")
    assert "6 photos of 6 people" in report
    assert "Model's asymmetry map" in report and "Landmark measures" in report


def tables(folder, *parts):
    """Tables of the photos of `parts`, (first, last, word of the column split) each, one table for each part."""
    for number, rows in enumerate(parts):
        lines = [
            f"grade_{n % 6 + 1}/patient{n:03d}_left.png,{n % 6 + 1},left,{word}"
            for first, last, word in rows
            for n in range(first, last)
        ]
        (folder / f"{number}.csv").write_text("\n".join(["image_path,grade,side,split", *lines]) + "\n")


def fit_tables(trained, folder, *given):
    train = script("train_facial_palsy", "train")
    here = ("--save_dir", str(folder / "model"), "--log_dir", str(folder / "logs"))
    few = ("--epochs", "1", "--batch_size", "4", "--num_workers", "0")
    return exit_code(lambda: train(["--data_root", str(trained[0] / "FNP"), *SMALL, *few, *here, *given]))


def test_two_tables_are_training_and_validation(trained, tmp_path, capsys):
    tables(tmp_path, [(0, 6, ""), (9, 10, "val")], [(6, 9, "val"), (10, 12, "test")])
    assert fit_tables(trained, tmp_path, "--train_csv", f"{tmp_path}/0.csv", "--val_csv", f"{tmp_path}/1.csv") == 0
    said = capsys.readouterr().err
    assert "training: 6 people, 6 exams." in said and "validation: 3 people, 3 exams." in said
    seen = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec).about["seen"]
    assert seen == sorted(mark(f"patient{number:03d}") for number in range(9))
    assert not (tmp_path / "model/split.json").exists()


@pytest.mark.parametrize("given", [("--train_csv",), ("--train_csv", "--val_csv")])
def test_one_table_with_a_column_split(trained, tmp_path, given):
    tables(tmp_path, [(0, 6, "train"), (6, 9, "val"), (9, 12, "test")])
    assert fit_tables(trained, tmp_path, *(word for flag in given for word in (flag, f"{tmp_path}/0.csv"))) == 0
    (fold,) = read_split(tmp_path / "model/split.json").folds
    assert (len(fold.train), len(fold.val), fold.test) == (6, 3, ("patient009", "patient010", "patient011"))


def script(name, function):
    """A function of one of the scripts, in this process."""
    found = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return getattr(module, function)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of grades whose photos nobody opens, and tables of them."""
    monkeypatch.chdir(tmp_path)
    for number in range(6):
        path = tmp_path / f"FNP/grade_{number + 1}/p{number}_left.png"
        path.parent.mkdir(parents=True)
        path.touch()
    lines = [f"grade_{number + 1}/p{number}_left.png,{number + 1},left" for number in range(6)]
    (tmp_path / "all.csv").write_text("\n".join(["image_path,grade,side", *lines]) + "\n")
    (tmp_path / "none.csv").write_text("image_path,grade,side,split\n" + f"{lines[0]},test\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--data_root", "nowhere"], 2, "There is no 'nowhere'"),
        (["--data_root", "FNP", "--epochs", "many"], 2, "--epochs: invalid int value: 'many'"),
        (["--data_root", "FNP", "--data_type", "x"], 2, "Unrecognized arguments: --data_type x"),
        (["--data_root", "FNP", "--dataset_type", "FPN"], 2, "invalid choice: 'FPN'"),
        (["--data_root", "FNP", "--image_size", "210"], 2, "210"),
        (["--data_root", "FNP", "--num_classes", "5"], 2, "5 classes"),
        (["--data_root", "FNP", "--train_csv", "no.csv"], 2, "There is no table 'no.csv'"),
        (["--data_root", "FNP", "--val_csv", "all.csv"], 2, "--val_csv was given without --train_csv"),
        (["--data_root", "FNP", "--train_csv", "all.csv", "--val_csv", "all.csv"], 1, "6 people are in both"),
        (["--data_root", "FNP", "--train_csv", "all.csv", "--val_csv", "none.csv"], 1, "No row of 'none.csv'"),
        (["--data_root", "FNP", "--pretrained_path", "no.pth"], 1, "There are no weights no.pth or no.safetensors"),
    ],
)
def test_what_is_wrong_with_a_training_is_one_sentence(folder, capsys, arguments, code, words):
    train = script("train_facial_palsy", "train")
    assert exit_code(lambda: train([*arguments, "--num_workers", "0"])) == code
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("facialpalsy: ") and words in last


def test_faces_of_ck_have_no_grade_to_train_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "CK/cohn-kanade-images/S005/001/S005_001_00000001.png"
    path.parent.mkdir(parents=True)
    path.touch()
    train = script("train_facial_palsy", "train")
    assert exit_code(lambda: train(["--data_root", "CK", "--dataset_type", "CK+", "--num_workers", "0"])) == 1
    said = capsys.readouterr().err
    assert "None of the 1 picture of 'CK' has a House-Brackmann grade, which the layout ckplus may not give" in said


def test_a_folder_of_no_grade_is_named(folder, capsys):
    (folder / "FNP/grade_0").mkdir()
    train = script("train_facial_palsy", "train")
    assert exit_code(lambda: train(["--data_root", "FNP", "--num_workers", "0"])) == 1
    assert "'grade_0' names no House-Brackmann grade; allowed are grade_1 to grade_6" in capsys.readouterr().err


def test_flags_that_differ_from_the_model_are_named_with_both_values(trained, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    visualize = script("visualize_asymmetry_roi", "visualize")
    given = ["--model_path", str(trained[0] / "checkpoints/best_model.pth"), "--dim", "32", "--data_root", "nowhere"]
    assert exit_code(lambda: visualize(given)) == 1
    assert "dim 32 (it has 24)" in capsys.readouterr().err


def test_a_model_must_be_named_and_exist(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    visualize = script("visualize_asymmetry_roi", "visualize")
    assert exit_code(lambda: visualize([])) == 2
    assert "--model_path" in capsys.readouterr().err
    assert exit_code(lambda: visualize(["--model_path", "best_model.pth"])) == 1
    assert "There are no weights best_model.pth or best_model.safetensors" in capsys.readouterr().err
