"""A training that was killed ends with the very bytes of one that was not."""

import dataclasses
import json
import struct

import numpy as np
import pytest
import torch

from photoz.files import sha256
from photoz.networks import FluxRatio, NetworkConfig
from photoz.simulations.stream import GalaxyStream
from photoz.survey import learn_noise
from photoz.survey.noise import FixedSNR
from photoz.training import resume
from photoz.training.checkpoints import METADATA_KEY, save_networks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import finetune
from photoz.training.pretrain import pretrain, pretrain_fresh
from photoz.training.resume import Checkpoint, Standing
from tests.training.conftest import BANDS, break_fluxes, make_catalogue
from tests.training.test_training import drawn

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=12, features=3, components=3,
    undropped_layers=1,
)  # fmt: skip
STEPS = 45
TRANSFORM = FluxRatio(BANDS, "i")
NOISE = FixedSNR((20.0,) * 4 + (50.0,))


class KilledError(Exception):
    """The job is gone."""


class Killed(Checkpoint):
    """Saves at every step, and dies after some step."""

    def __init__(self, path, at, identity=None):
        super().__init__(path, identity, every=0)
        self.at = at

    def offer(self, learner, standing):
        super().offer(learner, standing)
        if standing.step == self.at:
            raise KilledError


def stored(checkpoint, noise=NOISE):
    """Pretraining on 170 stored galaxies: they are reshuffled after three batches."""
    redshift = np.random.default_rng(1).uniform(0, 1, 170)
    config = PretrainingConfig(steps=STEPS, batch_size=50, dropout=True)
    return pretrain(
        *(break_fluxes(redshift), redshift, TRANSFORM, noise, NETWORK, config, 0, CPU, checkpoint)
    )


def per_fold(checkpoint):
    sky = make_catalogue(90)
    bright = np.random.default_rng(7).uniform(0.5, 2, (90, 1)).astype(np.float32)
    sky = dataclasses.replace(sky, flux=sky.flux * bright)
    return stored(checkpoint, learn_noise(sky, np.arange(90) % 3))


def fresh(checkpoint, background=False):
    config = PretrainingConfig(steps=STEPS, batch_size=50)
    with GalaxyStream(drawn, 64, 3, background) as galaxies:
        return pretrain_fresh(galaxies, TRANSFORM, NOISE, NETWORK, config, 0, CPU, checkpoint)


def fresh_in_the_background(checkpoint):
    return fresh(checkpoint, True)


def folds(checkpoint):
    """Fine-tuning of 3 folds, 3 steps an epoch: 45, the last 21 without dropout."""
    config = FinetuningConfig(epochs=15, quiet_epochs=7, batch_size=20, unlabelled="all")
    sky = make_catalogue(100)
    return finetune(
        sky, np.arange(100) % 3, None, NETWORK, config, [0, 0], CPU, checkpoint=checkpoint
    )


TRAININGS = [stored, per_fold, fresh, fresh_in_the_background, folds]


def product(tmp_path, result):
    """Weight file and history, as bytes can be compared."""
    trained, history = result
    save_networks(tmp_path / "networks.safetensors", trained, {})
    history.to_parquet(tmp_path / "history.parquet", index=False)
    return [sha256(tmp_path / name) for name in ("networks.safetensors", "history.parquet")]


def killed_and_resumed(tmp_path, train, *steps):
    path = tmp_path / "networks.safetensors.checkpoint"
    for step in steps:
        with pytest.raises(KilledError):
            train(Killed(path, step))
    return train(Checkpoint(path))


@pytest.mark.parametrize("train", TRAININGS)
@pytest.mark.parametrize("steps", [(1,), (31,), (7, 8, STEPS)])
def test_a_killed_training_ends_with_the_bytes_of_an_uninterrupted_one(tmp_path, train, steps):
    expected = product(tmp_path, train(resume.NO_CHECKPOINT))
    assert product(tmp_path, killed_and_resumed(tmp_path, train, *steps)) == expected


def forgetting(part):
    """`_restore`, but for a part that stays as it is at the start of a training."""
    original = resume._restore

    def restore(learner, tensors):
        start = {k: v for k, v in resume.changing_tensors(learner).items() if k.startswith(part)}
        rest = {k: v for k, v in tensors.items() if not k.startswith(part)}
        original(learner, rest | start)

    return restore


@pytest.mark.parametrize("train", [stored, folds])
@pytest.mark.parametrize("part", ["network.", "optimiser.", "generator."])
def test_control_without_a_part_of_the_checkpoint_the_bytes_differ(
    tmp_path, monkeypatch, train, part
):
    expected = product(tmp_path, train(resume.NO_CHECKPOINT))
    monkeypatch.setattr(resume, "_restore", forgetting(part))
    assert product(tmp_path, killed_and_resumed(tmp_path, train, 31))[0] != expected[0]


def test_control_without_the_order_of_the_galaxies_the_bytes_differ(tmp_path, monkeypatch):
    expected = product(tmp_path, stored(resume.NO_CHECKPOINT))
    original = resume._group
    monkeypatch.setattr(
        resume, "_group", lambda t, start: {} if start == "state." else original(t, start)
    )
    assert product(tmp_path, killed_and_resumed(tmp_path, stored, 31)) != expected


def test_control_without_the_position_in_the_stream_the_bytes_differ(tmp_path, monkeypatch):
    expected = product(tmp_path, fresh(resume.NO_CHECKPOINT))
    monkeypatch.setattr(GalaxyStream, "skip", lambda self, n: None)
    assert product(tmp_path, killed_and_resumed(tmp_path, fresh, 31)) != expected


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize(("taken", "skipped"), [(1, 7), (5, 3), (5, 5), (5, 10), (12, 93), (9, 1)])
def test_a_skipped_stream_goes_on_where_it_should(taken, skipped, background):
    with GalaxyStream(drawn, 10, 3, False) as whole:
        expected = whole.take(150)
    with GalaxyStream(drawn, 10, 3, background) as galaxies:
        galaxies.take(taken)
        galaxies.skip(skipped)
        flux, redshift = galaxies.take(30)
    start = taken + skipped
    np.testing.assert_array_equal(flux, expected[0][start : start + 30])
    np.testing.assert_array_equal(redshift, expected[1][start : start + 30])


def test_a_checkpoint_of_something_else_is_ignored_and_said(tmp_path, caplog):
    path = tmp_path / "networks.safetensors.checkpoint"
    expected = product(tmp_path, stored(resume.NO_CHECKPOINT))
    with pytest.raises(KilledError):
        stored(Killed(path, 31, {"seed": 1}))
    caplog.clear()
    result = stored(Checkpoint(path, {"seed": 2}))
    assert "networks.safetensors.checkpoint: of another configuration" in caplog.text
    assert product(tmp_path, result) == expected
    caplog.set_level("INFO")
    stored(Checkpoint(path, {"seed": 1}))
    assert "at step 31" in caplog.text


def flip_a_weight(path):
    """Flip a bit that counts; most of a generator's state does not any more."""
    whole = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", whole[:8])
    start, _ = json.loads(whole[8 : 8 + length])["network.photoz.output.weight"]["data_offsets"]
    whole[8 + length + start + 2] ^= 16
    path.write_bytes(whole)


@pytest.mark.parametrize("damage", ["flipped", "cut short", "empty"])
def test_a_damaged_checkpoint_is_ignored_and_named(tmp_path, caplog, damage):
    path = tmp_path / "networks.safetensors.checkpoint"
    expected = product(tmp_path, stored(resume.NO_CHECKPOINT))
    with pytest.raises(KilledError):
        stored(Killed(path, 31))
    if damage == "flipped":
        flip_a_weight(path)
    else:
        path.write_bytes(path.read_bytes()[:-100] if damage == "cut short" else b"")
    assert product(tmp_path, stored(Checkpoint(path))) == expected
    assert "networks.safetensors.checkpoint" in caplog.text
    assert "starts anew" in caplog.text


def test_control_without_its_checksum_a_flipped_bit_changes_the_result(tmp_path, monkeypatch):
    expected = product(tmp_path, stored(resume.NO_CHECKPOINT))
    path = tmp_path / "networks.safetensors.checkpoint"
    monkeypatch.setattr(resume, "tensor_digest", lambda tensors: "")
    with pytest.raises(KilledError):
        stored(Killed(path, 31))
    flip_a_weight(path)
    assert product(tmp_path, stored(Checkpoint(path))) != expected


def test_it_saves_no_more_often_than_asked_and_goes_when_the_result_is_there(tmp_path):
    path = tmp_path / "networks.safetensors.checkpoint"
    rare = Checkpoint(path, every=3600)
    stored(rare)
    assert not path.exists()
    often = Checkpoint(path, every=0)
    stored(often)
    assert path.exists()
    often.remove()
    often.remove()
    assert not list(tmp_path.iterdir())


def test_a_training_goes_on_where_no_checkpoint_can_be_saved(tmp_path, caplog):
    expected = product(tmp_path, stored(resume.NO_CHECKPOINT))
    (tmp_path / "file").write_text("no folder")
    assert product(tmp_path, stored(Checkpoint(tmp_path / "file" / "x.checkpoint", every=0)))
    caplog.clear()
    result = stored(Checkpoint(tmp_path / "file" / "x.checkpoint", every=0))
    assert "no checkpoint could be saved" in caplog.text
    assert product(tmp_path, result) == expected


def test_a_minute_is_the_most_that_is_lost():
    assert resume.SAVE_EVERY <= 50


def test_the_file_is_safetensors_with_one_description(tmp_path):
    from safetensors import safe_open

    path = tmp_path / "x.checkpoint"
    with pytest.raises(KilledError):
        stored(Killed(path, 31))
    with safe_open(path, framework="pt") as stream:
        assert list(stream.metadata()) == [METADATA_KEY]
        description = json.loads(stream.metadata()[METADATA_KEY])
        names = set(stream.keys())
    assert description["step"] == 31
    assert Standing(step=31, history=description["history"]).history[0][0] == 0
    assert {"generator.0", "state.order", "network.calibration"} <= names
