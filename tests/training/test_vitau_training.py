"""Training of recogniser and regions: what is learnt from made-up exams, what is written, and what is refused."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import numpy as np
import torch

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import LabelsError, SplitError, UsageError
from facialpalsy.models import vit, vitau
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.point_reader import both_views
from facialpalsy.training.augment import mirrored, plain, with_photos
from facialpalsy.training.config import RECIPES, RecogniserTraining, RegionTraining
from facialpalsy.training.exams import Numbered, join
from facialpalsy.training.point_targets import begin_reader
from facialpalsy.training.recogniser import RecognisedExam, RecogniserTask, fit_recogniser
from facialpalsy.training.regions import RegionTask, fit_autoencoder, fit_regions

from .noise import POINTS, NoiseExams

VIT = replace(vit.PRESETS["tiny"], image_size=32, patch_size=8, dim=16, hidden=8, stem_channels=None)
REGIONS = vitau.PRESETS["tiny"]


class MarkedExams(NoiseExams):
    """Grey pictures; palsied exams have a white patch on the affected side's mouth, and its units are palsied.

    As of real people, nothing else is known.
    """

    def __getitem__(self, number):
        found, palsy = super().__getitem__(number), self.labels[number].palsy
        left = (self.first + number) % 2
        images = torch.full_like(found.images, 90) + (found.images // 16)
        units = torch.zeros(len(PALSY_UNITS), 2)
        if palsy:
            units[:, 0 if left else 1] = 1
            images[..., 24:34, slice(24, 34) if left else slice(6, 16)] = 255
        centres = torch.tensor([[0.72, 0.72], [0.28, 0.72]]).expand(len(images), len(PALSY_UNITS), 2, 2)
        unknown = {name: getattr(found, name) * torch.nan for name in ("points", "photo_truth", "exam_truth")}
        return found._replace(images=images, units=units, centres=centres, **unknown)


def recogniser_training(**changes):
    return RecogniserTraining(**{"spec": VIT, "epochs": 8, "batch_size": 6, "ema": 0.8, **changes})


def region_training(**changes):
    return RegionTraining(**{"spec": REGIONS, "epochs": 8, "batch_size": 4, "ema": 0.8, **changes})


def fit(how, config, train, val, folder, **more):
    return how(config, train, val, folder, folder / "logs", accelerator="cpu", devices=1, **more)


def test_a_recogniser_learns_what_marks_the_palsied(tmp_path):
    config = recogniser_training(epochs=20, class_weights=True)
    found = fit(fit_recogniser, config, MarkedExams(36), MarkedExams(12, first=100), tmp_path)
    best = found.history[found.epoch - 1]
    assert best["val_mean_class_acc"] == 1 and best["val_auc"] == 1
    loaded = load_checkpoint(found.model, vit.RecogniserSpec)
    assert loaded.spec == VIT and isinstance(loaded.network, vit.ExamRecogniser)
    decision = loaded.about["validation"]["decision"]
    assert decision["picture"][0] > 0 and decision["threshold"] == 0.5
    assert decision["points"] == [1.0, 0.0]  # nothing is read of points here
    assert RecogniserTraining.from_dict(loaded.about["training"]) == config


def test_regions_learn_the_unit_and_the_side(tmp_path):
    config = region_training(epochs=5)
    found = fit(fit_regions, config, MarkedExams(24), MarkedExams(12, first=100), tmp_path)
    best = found.history[found.epoch - 1]
    assert best["val_mean_class_acc"] > 0.9
    loaded = load_checkpoint(found.model, vitau.RegionSpec)
    assert set(loaded.about["validation"]["thresholds"]) == set(PALSY_UNITS)
    assert RegionTraining.from_dict(loaded.about["training"]) == config


def test_an_autoencoder_begins_the_regions(tmp_path):
    train, val = MarkedExams(12), MarkedExams(6, first=100)
    drawn = fit(fit_autoencoder, region_training(epochs=4), train, val, tmp_path / "drawn")
    losses = [row["val_loss"] for row in drawn.history]
    assert losses[-1] < losses[0]
    start = load_checkpoint(drawn.model, vitau.RegionSpec).network
    config = region_training(epochs=1, learning_rate=1e-9, ema=0.0)
    found = fit(fit_regions, config, train, val, tmp_path / "regions", start=start)
    mine = load_checkpoint(found.model, vitau.RegionSpec).network.state_dict()
    name = "trunk.encoder.input_layer.0.weight"
    torch.testing.assert_close(mine[name], start.state_dict()[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy", "kl"])
def test_other_losses_and_the_form_without_sides(loss, tmp_path):
    spec = replace(REGIONS, sides=1, points=2)
    config = region_training(spec=spec, units=("AU12", "AU2"), epochs=1, loss=loss)
    found = fit(fit_regions, config, MarkedExams(8), MarkedExams(6, first=100), tmp_path)
    assert set(load_checkpoint(found.model, vitau.RegionSpec).about["validation"]["thresholds"]) == {"AU12", "AU2"}


def test_targets_are_on_the_affected_side(tmp_path):
    exams = Numbered(MarkedExams(6))
    batch = join([exams[1], exams[2]])  # palsied on the left and on the right
    config = region_training(spec=replace(REGIONS, points=2), units=("AU12",))
    task = RegionTask(config, config.spec.network(), exams.exams.labels, exams.exams.labels, tmp_path, {})
    assert task.truth(batch).tolist() == [[1, 0], [0, 1]]
    maps = task.targets(batch, 32)
    assert maps.shape == (4, 2, 32, 32)
    left, right = (23, 23), (23, 8)  # the places of the two centres: the subject's left is on the image's right
    for photo, (positive, negative) in enumerate([(left, right)] * 2):
        assert maps[photo, 0][positive] > 0.99 and maps[photo, 1][negative] < -0.99
    assert maps[2, 0][left] < -0.99 and maps[2, 1][right] > 0.99


READ_VIT = replace(VIT, image_size=48, landmarker=POINTS)
READ_REGIONS = replace(REGIONS, image_size=48, seen_size=32, landmarker=POINTS)


@pytest.mark.parametrize("kind", ["recogniser", "regions"])
def test_with_points_both_readers_learn(kind, tmp_path):
    exams, joined = NoiseExams(4), join([Numbered(NoiseExams(4))[number] for number in range(4)])
    if kind == "recogniser":
        config, make = recogniser_training(spec=READ_VIT), RecogniserTask
    else:
        config, make = region_training(spec=READ_REGIONS), RegionTask
    network = config.spec.network()
    begin_reader(network.points, [joined])
    task = make(config, network, exams.labels, exams.labels, tmp_path, {})
    losses, _ = task.losses(plain(joined, 48))
    assert {"read", "numbers", "spread"} <= set(losses)
    sum(losses.values()).backward()
    for part in (network.points.landmarker, network.points.exam, network.trunk):
        assert any(one.grad is not None and one.grad.any() for one in part.parameters())


@pytest.mark.parametrize("kind", ["recogniser", "regions"])
def test_where_nobody_knows_points_their_reader_says_nothing(kind, tmp_path):
    """As of real people; what is learnt from the pictures is not drowned by a reader that learnt nothing."""
    how, config = {
        "recogniser": (fit_recogniser, recogniser_training(spec=READ_VIT, epochs=2)),
        "regions": (fit_regions, region_training(spec=READ_REGIONS, epochs=2)),
    }[kind]
    found = fit(how, config, MarkedExams(12), MarkedExams(6, first=100), tmp_path)
    network = load_checkpoint(found.model, type(config.spec)).network.eval()
    images, first = torch.rand(2, 3, 48, 48), torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        said = network(images, torch.tensor([0, 1]), first, 1)
    assert not said.read.exam.known.any()
    torch.testing.assert_close(said.exam_logits.softmax(1), said.seen_logits.softmax(1))


def test_validation_looks_at_the_mirror_image_too(tmp_path):
    """What is calibrated and decided by is what the shipped network says: the mean of both."""
    exams = MarkedExams(4)
    batch = plain(join([Numbered(exams)[number] for number in range(4)]), 32)
    turned = mirrored(batch, torch.ones(4, dtype=torch.bool))
    regions, recogniser = region_training(), recogniser_training()
    task = RegionTask(regions, regions.spec.network().eval(), exams.labels, exams.labels, tmp_path, {})
    with torch.no_grad():
        found, other = task.look(batch)[0], task.look(turned)[0]
    for number in range(4):
        there = other[number].palsy.reshape(-1, 2)[:, ::-1].ravel()
        np.testing.assert_allclose(found[number].palsy, there, atol=1e-6)
    task = RecogniserTask(recogniser, recogniser.spec.network().eval(), exams.labels, exams.labels, tmp_path, {})
    with torch.no_grad():
        found, other = task.look(batch)[0], task.look(turned)[0]
    for number in range(4):
        whole, turned_whole = (np.array(one[number].logits) for one in (found, other))
        np.testing.assert_allclose(whole, turned_whole[:, ::-1], atol=1e-5)


def test_validation_looks_at_parts_of_exams(tmp_path):
    """At the whole exam first; one photo is its own part; without a photo at rest no points are read."""
    exams, config = NoiseExams(4), recogniser_training(spec=READ_VIT)
    whole = plain(join([Numbered(exams)[number] for number in range(4)]), 48)
    network = config.spec.network().eval()
    begin_reader(network.points, [whole])
    task = RecogniserTask(config, network, exams.labels, exams.labels, tmp_path, {})
    with torch.no_grad():
        found, again = task.look(whole)[0], task.look(whole)[0]
        wanted = both_views(network, whole.images, whole.expressions, whole.exam, 4).exam_logits
        alone, moving = (
            task.look(with_photos(whole, kept))[0] for kept in (whole.expressions == 0, whole.expressions != 0)
        )
    assert found == again
    odds = (wanted[:, vit.PALSY] - wanted[:, 1 - vit.PALSY]).view(2, 4).T
    np.testing.assert_allclose([found[number].logits[0] for number in range(4)], odds, atol=1e-4)
    parts = np.array([one.logits for one in found.values()])
    assert (parts[:, 1:] != parts[:, :1]).any()
    for one in alone.values():
        np.testing.assert_allclose(one.logits[1:], [one.logits[0]] * 3, atol=1e-4)
    assert all(all(one.read) for one in alone.values()) and not any(any(one.read) for one in moving.values())


def test_picture_and_points_are_calibrated_each_by_itself(tmp_path):
    """Made-up answers whose classes are parted at 5 by the picture and at -2 by the points, and the border left out."""
    exams, config = NoiseExams(2), recogniser_training(spec=READ_VIT)
    task = RecogniserTask(config, config.spec.network().eval(), exams.labels, exams.labels, tmp_path, {})
    middle = {False: 5.0, True: -2.0}
    seen = {}
    for number in range(60):
        read, palsy = number % 2 == 0, number % 4 > 1
        odds = middle[read] + (3.0 if palsy else -3.0) + (number % 10 - 4.5) / 9
        seen[number] = RecognisedExam([[odds, odds]] * 4, [read] * 4, palsy, slight=False)
    border = {100: RecognisedExam([[50.0, 50.0]] * 4, [True] * 4, palsy=False, slight=True)}
    decision = task.judged(seen | border, {}).about["decision"]
    for name, read in (("picture", False), ("points", True)):
        slope, intercept = decision[name]
        assert slope > 0 and -intercept / slope == pytest.approx(middle[read], abs=0.2)
    assert decision["threshold"] == 0.5


def test_one_class_is_refused(tmp_path):
    class Healthy(MarkedExams):
        """Grade I alone."""

        def __init__(self, count, first=0):
            super().__init__(count, first)
            self.labels = [replace(one, grade=1, palsy=False) for one in self.labels]

    with pytest.raises(SplitError, match=r"The training exams are healthy only; .* Add people"):
        fit(fit_recogniser, recogniser_training(), Healthy(6), MarkedExams(6, first=100), tmp_path)
    with pytest.raises(LabelsError, match="AU1 is never palsied in the training exams"):
        fit(fit_regions, region_training(), Healthy(6), MarkedExams(6, first=100), tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": ("AU12",)}, r"1 units on 2 side\(s\) are 2 heat maps; the network has 26"),
        ({"units": ("AU5",), "spec": replace(REGIONS, points=2)}, "AU5 has no palsy label"),
        ({"loss": "l1"}, "mse, bce, cross_entropy, kl"),
        ({"sigma": 0.0}, "sigma is 0.0"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        region_training(**changes)


def test_the_recipe_of_the_document():
    config = RecogniserTraining(**RECIPES["paper"], spec=vit.PRESETS["paper"])
    assert (config.learning_rate, config.weight_decay, config.clip) == (5e-5, 5e-4, 0.1)
    assert (config.epochs, config.batch_size, config.spec.dropout) == (15, 4, 0.1)
