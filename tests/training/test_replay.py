"""Steps that a GPU replays: what replays wrongly is noticed, and every step can be recorded."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from photoz.networks import DeepZ, FluxRatio, NetworkConfig, seeded_generators
from photoz.survey.exposure_layout import lay_out
from photoz.survey.noise import FixedSNR
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import Finetuner
from photoz.training.pretrain import _Pretrainer
from photoz.training.replay import CHECKS, WARM_UP
from tests.training.conftest import BANDS, break_fluxes

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=16, features=2, components=2,
    undropped_layers=0, autoencoder_dropout=0.1, photoz_dropout=0.1,
)  # fmt: skip
CONFIG = FinetuningConfig(epochs=2, batch_size=40, quiet_epochs=0)
TRANSFORM = FluxRatio(BANDS, "i")
STEPS = WARM_UP + CHECKS + 4


def finetuner(catalogue, config=CONFIG, network=NETWORK, device=CPU):
    members = [np.arange(0, 200), np.arange(100, 300)]
    networks = DeepZ(network, len(catalogue.bands), seeded_generators([1, 2]))
    transform = FluxRatio(catalogue.bands, "i")
    unlabelled = members if config.unlabelled != "none" else ()
    return Finetuner(
        catalogue, members, TrainedNetworks(networks, transform), config, config.batch_size,
        seeded_generators([3, 4], device), unlabelled,
    )  # fmt: skip


def pretrainer(device=CPU, **network):
    config = PretrainingConfig(steps=10, batch_size=50, denoising=1.0)
    shape, noise = replace(NETWORK, **network), FixedSNR((20.0,) * 4 + (50.0,))
    return _Pretrainer(shape, 1.0, TRANSFORM, noise, config, 0, device)


class Repeats:
    """Records as it should: the step is taken again on what was copied to the same tensors."""

    def __init__(self, trainer):
        pass

    def run(self, step, inputs):
        return step(*inputs)

    def record(self, step, inputs, generators):
        read = [x.clone() for x in inputs]
        self.read, self.generators, self.replays = read, generators, 0

        def replay(*inputs):
            self.replays += 1
            for mine, new in zip(read, inputs, strict=True):
                mine.copy_(new)
            return self.repeat(step)

        return replay

    def repeat(self, step):
        return step(*self.read)


class RepeatsItsDropout(Repeats):
    """And hides it: the generators end as after a step."""

    def __init__(self, trainer):
        self.generators = trainer.learner.generators

    def run(self, step, inputs):
        outputs = super().run(step, inputs)
        self.ends = [g.get_state() for g in self.generators]
        return outputs

    def record(self, step, inputs, generators):
        self.first = [g.get_state() for g in generators]
        return super().record(step, inputs, generators)

    def repeat(self, step):
        self.set(self.first)
        outputs = super().repeat(step)
        self.set(self.ends)
        return outputs

    def set(self, states):
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)


class ReadsOldInputs(Repeats):
    def record(self, step, inputs, generators):
        replay = super().record(step, inputs, generators)
        old = [x.clone() for x in inputs]
        return lambda *inputs: replay(*old)


class ForgetsToLearn(Repeats):
    def __init__(self, trainer):
        self.network = trainer.network

    def repeat(self, step):
        weights = {name: value.clone() for name, value in self.network.state_dict().items()}
        outputs = step(*self.read)
        self.network.load_state_dict(weights)
        return outputs


class ForgetsMoments(Repeats):
    def __init__(self, trainer):
        self.trainer = trainer

    def repeat(self, step):
        state = self.trainer.optimiser.state
        moments = {p: values["exp_avg_sq"].clone() for p, values in state.items()}
        outputs = step(*self.read)
        for parameter, moment in moments.items():
            state[parameter]["exp_avg_sq"].copy_(moment)
        return outputs


class CannotRecord(Repeats):
    def record(self, step, inputs, generators):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")


def train(trainer, recorder=None, steps=STEPS):
    trainer._updates[False].recorder = recorder
    losses = [trainer.step(1e-3) for _ in range(steps)]
    return torch.stack(losses), trainer.network.state_dict()


def assert_same(a, b):
    assert torch.equal(a[0], b[0])
    assert all(torch.equal(a[1][name], b[1][name]) for name in a[1])


def test_replayed_steps_are_the_steps(catalogue, caplog):
    trainer = finetuner(catalogue)
    recorder = Repeats(trainer)
    assert_same(train(trainer, recorder), train(finetuner(catalogue)))
    assert recorder.replays == STEPS - WARM_UP
    assert not caplog.records


@pytest.mark.parametrize(
    "kind",
    [RepeatsItsDropout, ReadsOldInputs, ForgetsToLearn, ForgetsMoments, CannotRecord],
    ids=lambda k: k.__name__,
)
def test_a_recording_that_does_something_else_is_not_used(catalogue, caplog, kind):
    trainer = finetuner(catalogue)
    assert_same(train(trainer, kind(trainer)), train(finetuner(catalogue)))
    assert trainer._updates[False].replay is None
    [record] = caplog.records
    expected = "not permitted when stream is capturing" if kind is CannotRecord else "elsewhere"
    assert expected in record.message and "and more" not in record.message


class OnDevice(TorchDispatchMode):
    """Refuses what a recording cannot hold: results that the processor waits for or makes."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name()
        assert name.split("::")[1].split(".")[0] not in (
            "_local_scalar_dense", "nonzero", "masked_select", "lift_fresh", "_unique2", "item",
        ), name  # fmt: skip
        if name == "aten::index.Tensor":
            assert all(i is None or i.dtype != torch.bool for i in args[1]), name
        return function(*args, **(kwargs or {}))


def test_what_waits_for_a_value_is_noticed():
    x = torch.arange(3.0)
    for waits in (lambda: x.sum().item(), lambda: x[x > 1], lambda: torch.tensor([1.0])):
        with pytest.raises(AssertionError), OnDevice():
            waits()


CLASSES = {"head": "classes", "class_width": 0.02, "class_redshift_max": 1.0}


@pytest.mark.parametrize(
    ("config", "network"),
    [
        ({}, {}),
        ({}, {"features": 0}),
        ({}, {"layer_order": "norm_linear_relu"}),
        (
            {},
            {
                "front_end": "convolutional",
                "convolved_inputs": (0, 1, 2, 3),
                "convolution_width": 3,
            },
        ),
        ({"mixup": 0.2}, {}),
        ({"empty_bands": "drop_galaxy", "alpha": 0.5}, {}),
        ({"label_smoothing": 0.15, "oversampling": 0.5}, CLASSES),
        ({"wrong_fluxes": 0.1}, {}),
        ({"train": "head"}, {}),
        ({"unlabelled": "all"}, {}),
        ({"individual_exposures": "same"}, {}),
        ({"individual_exposures": "independent"}, {}),
    ],
    ids=lambda options: "-".join(map(str, options.values())) or "plain",
)
def test_fine_tuning_can_be_recorded(catalogue, config, network):
    if "individual_exposures" in config:
        catalogue = lay_out(catalogue, 1.0, 0)
    trainer = finetuner(catalogue, replace(CONFIG, **config), replace(NETWORK, **network))
    inputs = [trainer.batches.next()]
    if trainer.unlabelled is not None:
        inputs.append(trainer.unlabelled.batches.next())
    for quiet in (False, True):
        trainer._update(quiet, *inputs)  # what is made once is made here
        with OnDevice():
            trainer._update(quiet, *inputs)


@pytest.mark.parametrize(
    "network", [{}, {"features": 0}, CLASSES], ids=["plain", "bare", "classes"]
)
def test_pretraining_can_be_recorded(network):
    trainer = pretrainer(**network)
    redshift = torch.linspace(0.05, 0.95, 50)
    flux = torch.as_tensor(break_fluxes(redshift.numpy()), dtype=torch.float32)
    x, error = trainer.galaxies.observe(flux.unsqueeze(0))
    inputs = x, error, trainer.galaxies.encoder_input(x, error), redshift.unsqueeze(0)
    trainer._update(*inputs)
    with OnDevice():
        trainer._update(*inputs)


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


@needs_gpu
def test_a_gpu_replays_its_steps(catalogue, caplog):
    gpu = torch.device("cuda")
    replayed = finetuner(catalogue, device=gpu)
    losses, weights = train(replayed, replayed._updates[False].recorder)
    assert replayed._updates[False].replay is not None, caplog.text
    eager = finetuner(catalogue, device=gpu)
    expected, same = train(eager)
    torch.testing.assert_close(losses, expected, rtol=1e-3, atol=1e-3)
    for name in weights:
        torch.testing.assert_close(weights[name], same[name], rtol=1e-2, atol=1e-3)


@needs_gpu
def test_a_gpu_trains_on_after_a_recording_that_failed(catalogue, caplog):
    trainer = finetuner(catalogue, device=torch.device("cuda"))
    update = trainer._updates[False]
    usual = update.step

    def waits(*inputs):
        outputs = usual(*inputs)
        outputs[0].sum().item()  # no recording can hold this
        return outputs

    update.step = waits
    losses, _ = train(trainer, update.recorder)
    assert update.replay is None and "not replayed" in caplog.text
    expected, _ = train(finetuner(catalogue, device=torch.device("cuda")))
    torch.testing.assert_close(losses, expected, rtol=1e-3, atol=1e-3)
    assert torch.rand(3, device="cuda").isfinite().all()  # the default generator still draws
