"""Train on the command line: what is written, whose photos were seen, and every wrong value in one sentence."""

import json

import pytest

pytest.importorskip("lightning")

import torch

from facialpalsy.cli.exam_data import mark
from facialpalsy.datasets.splits import read_split
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.vit import RecogniserSpec
from facialpalsy.models.vitau import RegionSpec

from ..models.test_htnet import random_state
from .prepared_people import write_people

TINY = (
    "--preset", "tiny", "--image-size", 32, "--patch-size", 8, "--dim", 8, "--block-repeats", "1,2,1",
    "--epochs", 1, "--batch-size", 4,
)  # fmt: skip


@pytest.fixture
def people(tmp_path, make_face, move):
    write_people(tmp_path / "data", make_face, move, 12)
    return tmp_path / "data"


@pytest.fixture
def train(cli, tmp_path):
    def run(*arguments):
        return cli("train", "grader", "--save-dir", tmp_path / "model", "--log-dir", tmp_path / "logs", *arguments)

    return run


def test_a_prepared_folder_becomes_a_model_that_knows_whom_it_saw(train, people, tmp_path):
    ran = train("--data", people, *TINY)
    assert ran.code == 0, ran.err
    assert "Best of 1 epoch: epoch 1. best_model.safetensors is in model/" in ran.err
    loaded = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec)
    assert (loaded.spec.image_size, loaded.spec.dim, loaded.spec.block_repeats) == (32, 8, (1, 2, 1))
    split = read_split(tmp_path / "model/split.json")
    (fold,) = split.folds
    assert len(split.people) == 12 and fold.test
    assert loaded.about["split_sha256"] == split.sha256
    assert loaded.about["seen"] == sorted(map(mark, (*fold.train, *fold.val)))
    (row,) = json.loads((tmp_path / "logs/training_history.json").read_text())
    assert row["epoch"] == 1
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))


def test_the_same_command_again_changes_nothing(train, people, tmp_path):
    train("--data", people, *TINY)
    before = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec)
    assert train("--data", people, *TINY).code == 0
    after = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec)
    assert after.about == before.about
    for mine, yours in zip(after.network.parameters(), before.network.parameters(), strict=True):
        assert mine.equal(yours)


def test_a_frozen_split_is_taken_and_weights_begin_another_training(train, cli, people, tmp_path):
    train("--data", people, *TINY, "--seed", 5)
    again = ("--split", tmp_path / "model/split.json", "--pretrained-path", tmp_path / "model/best_model.pth")
    ran = cli(
        "train", "grader", "--save-dir", tmp_path / "b", "--log-dir", tmp_path / "lb", "--data", people, *TINY, *again
    )
    assert ran.code == 0, ran.err
    assert (tmp_path / "b/split.json").read_bytes() == (tmp_path / "model/split.json").read_bytes()


def test_weights_of_the_published_network_begin_a_training(train, people, tmp_path):
    state = random_state(32, 8, 6, 8, 2, (1, 2, 1))
    torch.save({"model_state_dict": state}, tmp_path / "published.pth")
    bare = ("--no-micro-attention", "--no-roi-module")
    # Steps too small to move a weight.
    still = ("--learning-rate", 1e-12, "--weight-decay", 0, "--ema", 0, "--clip", 0.5, "--patience", 1)
    begin = ("--pretrained-path", tmp_path / "published.pth")
    ran = train("--data", people, "--preset", "paper", "--heads", 2, "--dropout", 0, *TINY[2:], *bare, *still, *begin)
    assert ran.code == 0, ran.err
    loaded = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec)
    torch.testing.assert_close(loaded.network.trunk.head.weight, state["mlp_head.2.weight"], atol=1e-6, rtol=0)
    settings = loaded.about["training"]
    assert (settings["ema"], settings["clip"], settings["patience"]) == (0, 0.5, 1)


def test_without_modules_and_with_other_settings(train, people, tmp_path):
    modules = ("--no-micro-attention", "--no-roi-module", "--asymmetry-weight", 0.3, "--label-smoothing", 0.1)
    assert (
        train(
            "--data", people, *TINY, *modules, "--class-weights", "--loss", "cross_entropy", "--schedule", "plateau"
        ).code
        == 0
    )
    loaded = load_checkpoint(tmp_path / "model/best_model.safetensors", GraderSpec)
    assert not loaded.spec.use_micro_attention and not loaded.spec.use_roi_module
    assert loaded.spec.asymmetry_weight == 0.3
    training = loaded.about["training"]
    assert (training["loss"], training["schedule"], training["class_weights"]) == ("cross_entropy", "plateau", True)
    assert training["label_smoothing"] == 0.1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either --data with a folder or --synthetic"),
        (["--data", "nowhere", "--synthetic", 3], "either --data with a folder or --synthetic"),
        (["--data", "nowhere"], "There is no 'nowhere'"),
        (["--synthetic", 6, "--preset", "tinny"], "Did you mean 'tiny'?"),
        (["--synthetic", 6, "--block-repeats", "2;2"], "--block-repeats is '2;2'"),
        (["--synthetic", 6, "--loss", "emb"], "Did you mean 'emd'?"),
        (["--synthetic", 6, "--epochs", 0], "epochs is 0; give at least 1"),
        (["--synthetic", 6, "--setting", "d"], "'d'"),
        (["--synthetic", 0], "0 synthetic patients"),
    ],
)
def test_wrong_values_are_one_sentence(train, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    ran = train(*arguments)
    assert ran.code == 2
    assert words in ran.err and len(ran.err.splitlines()) == 1


def test_too_few_people_and_a_missing_split_are_named(train, make_face, move, tmp_path):
    write_people(tmp_path / "two", make_face, move, 2)
    ran = train("--data", tmp_path / "two", *TINY)
    assert ran.code == 1 and "2 people cannot make train, val and test" in ran.err
    ran = train("--data", tmp_path / "two", *TINY, "--split", tmp_path / "none.json")
    assert ran.code == 1 and "The split 'none.json' cannot be read" in ran.err


def test_another_training_in_the_folder_is_refused(train, people, tmp_path):
    train("--data", people, *TINY)
    ran = train("--data", people, *TINY, "--learning-rate", 0.01)
    assert ran.code == 2 and "'model' holds another training" in ran.err
    before = (tmp_path / "model/split.json").read_bytes()
    ran = train("--data", people, *TINY, "--seed", 1)
    assert ran.code == 2 and "'model' holds the split of another training" in ran.err
    assert (tmp_path / "model/split.json").read_bytes() == before


def test_synthetic_people_are_rendered_once_and_split_by_person(train, tmp_path):
    pytest.importorskip("numba")
    try:
        from facialpalsy.synth.face_model import face_model

        face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")
    ran = train("--synthetic", 4, "--seed", 3, *TINY)
    assert ran.code == 0, ran.err
    (fold,) = read_split(tmp_path / "model/split.json").folds
    assert {*fold.train, *fold.val, *fold.test} == {f"a3-{number:05d}" for number in range(4)}
    # The test person is never rendered.
    assert len(list((tmp_path / "model/synthetic/a3_40").glob("*.npz"))) == 4 - len(fold.test)


def train_kind(cli, folder, kind, *arguments):
    return cli("train", kind, "--save-dir", folder / "model", "--log-dir", folder / "logs", *arguments)


def test_a_recogniser_is_trained_and_begins_another(cli, people, tmp_path):
    small = ("--preset", "tiny", "--image-size", 32, "--dim", 8, "--epochs", 1, "--batch-size", 4)
    ran = train_kind(cli, tmp_path / "one", "recogniser", "--data", people, *small, "--class-weights")
    assert ran.code == 0, ran.err
    loaded = load_checkpoint(tmp_path / "one/model/best_model.safetensors", RecogniserSpec)
    assert (loaded.spec.image_size, loaded.spec.dim, loaded.spec.depth) == (32, 8, 2)
    assert {"picture", "points", "threshold"} == loaded.about["validation"]["decision"].keys()
    assert loaded.about["training"]["class_weights"] and loaded.about["seen"]
    begin = ("--pretrained", tmp_path / "one/model/best_model.safetensors", "--recipe", "paper")
    ran = train_kind(cli, tmp_path / "two", "recogniser", "--data", people, *small, *begin)
    assert ran.code == 0, ran.err
    settings = load_checkpoint(tmp_path / "two/model/best_model.safetensors", RecogniserSpec).about["training"]
    # The recipe, but for what was given besides.
    assert (settings["learning_rate"], settings["clip"], settings["schedule"]) == (5e-5, 0.1, "constant")
    assert settings["epochs"] == 1


def test_regions_are_trained_after_their_autoencoder(cli, people, tmp_path):
    given = ("--preset", "tiny", "--epochs", 1, "--batch-size", 4, "--units", "AU2,AU12", "--autoencoder-epochs", 1)
    ran = train_kind(cli, tmp_path, "regions", "--data", people, *given, "--loss", "bce", "--sigma", 12)
    assert ran.code == 0, ran.err
    loaded = load_checkpoint(tmp_path / "model/best_model.safetensors", RegionSpec)
    assert loaded.spec.points == 4 and loaded.about["training"]["units"] == ["AU2", "AU12"]
    assert (loaded.about["training"]["loss"], loaded.about["training"]["sigma"]) == ("bce", 12)
    assert set(loaded.about["validation"]["thresholds"]) == {"AU2", "AU12"}
    assert (tmp_path / "model/autoencoder/best_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("recogniser", ["--recipe", "papr"], "Unknown recipe 'papr'. Did you mean 'paper'?"),
        ("recogniser", ["--image-size", 33], "points are found at multiples of 48: take 48."),
        ("recogniser", ["--image-size", 33, "--preset", "tiny"], "image_size 33 is no multiple of patch_size 16"),
        ("regions", ["--units", "AU12,AU5"], "AU5 has no palsy label"),
        ("regions", ["--sides", 3], "The region network's sides is 3"),
        ("regions", ["--stages", "first"], "Allowed are all, early, middle, late"),
    ],
)
def test_wrong_values_of_other_networks_are_one_sentence(cli, people, tmp_path, kind, arguments, words):
    ran = train_kind(cli, tmp_path, kind, "--data", people, *arguments)
    assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1
