"""Train a small network on noise in a process of its own: run_fit.py SAVE_DIR DEVICES EPOCHS [KILL_AFTER]."""

import os
import signal
import sys
from pathlib import Path

import torch
from noise import NoiseExams, small_training

from facialpalsy.training.grader import fit_grader


class Killed:
    """Exams that kill the process when the one after so many is asked for, as kill -9 does."""

    def __init__(self, exams: NoiseExams, after: int) -> None:
        self.exams, self.left, self.labels = exams, after, exams.labels

    def __len__(self) -> int:
        return len(self.exams)

    def __getitem__(self, number: int):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.exams[number]


if __name__ == "__main__":
    torch.set_num_threads(1)
    save_dir, devices, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    train = NoiseExams(12)
    if len(sys.argv) > 4:
        train = Killed(train, int(sys.argv[4]))
    config = small_training(epochs=epochs, batch_size=4 // devices)
    val = NoiseExams(7, first=100)
    fit_grader(config, train, val, save_dir, save_dir / "logs", accelerator="cpu", devices=devices)
