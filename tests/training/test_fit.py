"""Fit: what is written, what is refused, and that a killed training ends as one that was not."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import torch

from facialpalsy.errors import CheckpointError, SplitError, TrainingError, UsageError
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.models.registry import GraderSpec
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.fit import HISTORY
from facialpalsy.training.grader import fit_grader
from facialpalsy.training.task import BEST_MODEL

SCRIPT = Path(__file__).with_name("run_fit.py")


def fit(config, train, val, folder, **more):
    return fit_grader(config, train, val, folder, folder / "logs", accelerator="cpu", devices=1, **more)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Sums of several threads differ in their last digits from those of one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(*arguments):
    """`run_fit.py` in a process of its own."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


def history(folder):
    return json.loads((folder / "logs" / HISTORY).read_text())


def assert_same_weights(one, other):
    mine, yours = (load_checkpoint(folder / BEST_MODEL, GraderSpec).network.state_dict() for folder in (one, other))
    assert mine.keys() == yours.keys()
    for name, tensor in mine.items():
        torch.testing.assert_close(tensor, yours[name], atol=0, rtol=0, msg=name)


@pytest.fixture(scope="module")
def fitted(noise_exams, training, tmp_path_factory):
    """A training of three epochs, which the tests below look at."""
    folder = tmp_path_factory.mktemp("fitted")
    config = training()
    return config, folder, fit(config, noise_exams(12), noise_exams(7, first=100), folder)


def test_what_a_training_writes(fitted):
    config, folder, found = fitted
    rows = history(folder)
    assert [row["epoch"] for row in rows] == [1, 2, 3] and [dict(row) for row in found.history] == rows
    document = {"epoch", "train_loss", "train_acc", "val_loss", "val_acc", "val_f1_macro", "val_mean_class_acc"}
    assert document <= rows[0].keys()
    assert found.epoch == min(rows, key=lambda row: row["val_rps"])["epoch"]
    loaded = load_checkpoint(found.model, GraderSpec)
    assert loaded.spec == config.spec
    assert GraderTraining.from_dict(loaded.about["training"]) == config
    assert loaded.about["epoch"] == found.epoch and loaded.about["people"] == {"train": 12, "validation": 7}
    assert loaded.about["validation"]["by_person"]["rps"] == pytest.approx(rows[found.epoch - 1]["val_rps"])
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pt", ".pth")]


def test_the_scalars_hold_the_mean_asymmetry_of_each_grade(fitted):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(fitted[1] / "logs"))
    events.Reload()
    names = set(events.Tags()["scalars"])
    assert {f"asymmetry/grade_{grade}" for grade in range(1, 7)} <= names
    assert {"val_exam/kappa_quadratic", "val_person/within_one", "train/grade", "val/loss"} <= names


def test_a_finished_training_is_not_done_again(fitted, noise_exams):
    config, folder, found = fitted
    before = found.model.stat().st_mtime_ns
    again = fit(config, noise_exams(12), noise_exams(7, first=100), folder)
    assert again == found and found.model.stat().st_mtime_ns == before


def test_another_training_in_the_folder_is_refused(fitted, noise_exams, training):
    _, folder, _ = fitted
    with pytest.raises(UsageError, match=r"holds another training.*--save_dir"):
        fit(training(learning_rate=1e-4), noise_exams(12), noise_exams(7, first=100), folder)
    with pytest.raises(UsageError, match="holds another training"):
        fit(training(), noise_exams(11), noise_exams(7, first=100), folder)


def test_a_model_of_unknown_origin_is_not_overwritten(noise_exams, training, tmp_path):
    (tmp_path / BEST_MODEL).write_bytes(b"somebody's")
    with pytest.raises(UsageError, match="holds another training"):
        fit(training(), noise_exams(4), noise_exams(3, first=100), tmp_path)
    assert (tmp_path / BEST_MODEL).read_bytes() == b"somebody's"


def test_a_damaged_state_is_named(noise_exams, training, tmp_path):
    config, train, val = training(epochs=1), noise_exams(4), noise_exams(3, first=100)
    fit(config, train, val, tmp_path)
    (tmp_path / "resume" / "last.ckpt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(CheckpointError, match=r"'last\.ckpt' in 'resume', is damaged"):
        fit(config, train, val, tmp_path)


def test_bad_splits_are_refused(noise_exams, training, tmp_path):
    some = noise_exams(6)
    with pytest.raises(SplitError, match="no training exam"):
        fit(training(), noise_exams(0), some, tmp_path)
    with pytest.raises(SplitError, match="no validation exam"):
        fit(training(), some, noise_exams(0), tmp_path)
    with pytest.raises(SplitError, match="6 of the 6 validation people"):
        fit(training(), some, some, tmp_path)
    with pytest.raises(SplitError, match=r"1 of the 4 validation people are training people too \(p5\)"):
        fit(training(), some, noise_exams(4, first=5), tmp_path)


def test_a_killed_training_ends_as_one_that_was_not(noise_exams, training, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    # 12 exams are read to begin with, and 12 in each epoch: the kill comes in the third of four.
    stopped = run(killed, 1, 4, 12 + 12 + 12 + 7)
    assert stopped.returncode == -signal.SIGKILL, stopped.stderr
    assert len(history(killed)) == 2
    for folder in (killed, whole):
        fit(training(epochs=4), noise_exams(12), noise_exams(7, first=100), folder)
    assert history(killed) == history(whole)
    assert_same_weights(killed, whole)


def test_two_devices_train_one_model(tmp_path):
    """Two processes of two exams each: 12 exams in 3 steps, 7 validation exams each counted once."""
    done = run(tmp_path, 2, 2)
    assert done.returncode == 0, done.stderr
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(round(row["val_acc"] * 7, 6).is_integer() for row in rows)
    assert all(row["train_acc"] * 12 == pytest.approx(round(row["train_acc"] * 12)) for row in rows)
    assert load_checkpoint(tmp_path / BEST_MODEL, GraderSpec).about["people"]["validation"] == 7


def test_a_training_that_is_no_longer_better_stops(noise_exams, training, tmp_path):
    """Noise teaches nothing about other noise: well before 60 epochs, the second of them in a row is no better."""
    config, train, val = training(epochs=60, patience=2), noise_exams(8), noise_exams(5, first=100)
    found = fit(config, train, val, tmp_path)
    assert len(found.history) == found.epoch + 2 < 60
    assert fit(config, train, val, tmp_path) == found  # also when it is asked for again


def test_a_loss_that_is_no_number_stops_and_names_the_exams(noise_exams, training, tmp_path):
    class Spoilt(noise_exams):
        """The truth of exam 5 is beyond any number, from the second epoch on."""

        asked = 0

        def __getitem__(self, number):
            self.asked += 1
            found = super().__getitem__(number)
            if self.asked > 12 + 12 and number == 5:
                # Finite itself, so that it counts as known; squared it is not.
                return found._replace(exam_truth=torch.full_like(found.exam_truth, 1e30))
            return found

    with pytest.raises(TrainingError, match=r"is (inf|nan) in epoch 2.*exam5.*best_model\.safetensors.*kept"):
        fit(training(epochs=4), Spoilt(12), noise_exams(7, first=100), tmp_path)
    assert load_checkpoint(tmp_path / BEST_MODEL, GraderSpec).about["epoch"] == 1
    assert all(
        one.isfinite().all() for one in load_checkpoint(tmp_path / BEST_MODEL, GraderSpec).network.state_dict().values()
    )


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("could not create a primitive"), MemoryError()],
    ids=["cuda", "oneDNN", "python"],
)
def test_out_of_memory_says_what_fits(error, noise_exams, training, tmp_path):
    """A network that has memory for seven photos: two exams of three each, so of 8 exams a quarter."""

    def refuse(module, given):
        if isinstance(module, ExamGrader) and len(given[0]) > 7:
            raise error

    hook = torch.nn.modules.module.register_module_forward_pre_hook(refuse)
    try:
        with pytest.raises(TrainingError, match=r"A step of 8 exams does not fit.*; 2 do: use --batch_size 2"):
            fit(training(batch_size=8), noise_exams(12, photos=3), noise_exams(2, first=100), tmp_path)
    finally:
        hook.remove()


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_the_key_that_stops_a_training_stops_it(schedule, noise_exams, training, tmp_path):
    class Stopped(noise_exams):
        """Sends the key's signal while an exam of the second epoch is read."""

        asked = 0

        def __getitem__(self, number):
            self.asked += 1
            if self.asked == 12 + 12 + 5:
                signal.raise_signal(signal.SIGINT)
            return super().__getitem__(number)

    assert threading.current_thread() is threading.main_thread()
    # A shell's background jobs begin with the signal ignored.
    began = signal.signal(signal.SIGINT, signal.default_int_handler)
    before, val = signal.getsignal(signal.SIGINT), noise_exams(7, first=100)
    config = training(epochs=3, schedule=schedule)
    with pytest.raises(KeyboardInterrupt):
        fit(config, Stopped(12), val, tmp_path / "stopped")
    assert signal.getsignal(signal.SIGINT) is before
    assert len(history(tmp_path / "stopped")) == 1
    fit(config, noise_exams(12), val, tmp_path / "stopped")
    fit(config, noise_exams(12), val, tmp_path / "whole")
    assert_same_weights(tmp_path / "stopped", tmp_path / "whole")
    signal.signal(signal.SIGINT, began)


def test_weights_to_begin_with(noise_exams, training, tmp_path):
    config, train, val = training(epochs=1, learning_rate=1e-9, ema=0.0), noise_exams(4), noise_exams(3, first=100)
    torch.manual_seed(77)
    start = config.spec.network()
    fit(config, train, val, tmp_path / "one", start=start)
    found = load_checkpoint(tmp_path / "one" / BEST_MODEL, GraderSpec).network.state_dict()
    for name, tensor in start.state_dict().items():
        torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=0, msg=name)
    from facialpalsy.models.registry import PRESETS

    with pytest.raises(CheckpointError, match=r"another network: they hold"):
        fit(config, train, val, tmp_path / "other", start=PRESETS["tiny"].network())


def test_half_precision_and_workers(noise_exams, training, tmp_path):
    config = training(epochs=1, precision="bf16-mixed", num_workers=1, class_weights=True, loss="cross_entropy")
    found = fit(config, noise_exams(4), noise_exams(3, first=100), tmp_path)
    assert found.epoch == 1


def test_grades_are_six(noise_exams, training, tmp_path):
    from dataclasses import replace

    spec = replace(training().spec, num_classes=4)
    with pytest.raises(UsageError, match="4 classes; House-Brackmann grades are 6"):
        fit(training(spec=spec), noise_exams(4), noise_exams(3, first=100), tmp_path)
