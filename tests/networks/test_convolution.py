"""The convolutional front end against torch's own convolution, one network at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from photoz.files import InputError
from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.convolution import ConvolutionalFrontEnd, arranged, windows
from photoz.networks.deepz import stacked
from photoz.networks.density import negative_log_likelihood
from photoz.survey.bands import Band, BandSet

CONVOLVED, N_IN, WIDTH, CHANNELS = (4, 0, 3, 1, 6), 7, 3, 2
CONFIG = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=8, features=2, components=2,
    undropped_layers=1, front_end="convolutional", convolution_layers=2, convolution_channels=2,
    convolution_width=3, convolved_inputs=CONVOLVED,
)  # fmt: skip


def front_end(seeds, layers=2):
    return ConvolutionalFrontEnd(
        N_IN, CONVOLVED, layers, CHANNELS, WIDTH, seeded_generators(seeds)
    ).double()


def inputs(n, galaxies=20):
    g = torch.Generator().manual_seed(2)
    return torch.randn(n, galaxies, N_IN, generator=g).double()


def torch_modules(front, k):
    """Network `k` as torch.nn modules."""
    parts = []
    for layer in front.layers:
        n_in = layer.weight.shape[1] // WIDTH
        conv = nn.Conv1d(n_in, CHANNELS, WIDTH, padding=WIDTH // 2, bias=False)
        norm = nn.BatchNorm1d(CHANNELS)
        conv, norm = conv.double(), norm.double()
        with torch.no_grad():
            conv.weight.copy_(layer.weight[k].T.reshape(CHANNELS, n_in, WIDTH))
            norm.weight.copy_(layer.gamma[k, 0])
            norm.bias.copy_(layer.beta[k, 0])
            norm.running_mean.copy_(layer.mean[k, 0])
            norm.running_var.copy_(layer.variance[k, 0])
        parts += [conv, norm, nn.ReLU()]
    return nn.Sequential(*parts)


def expected(modules, x):
    """Channels of every convolved band, then the inputs that pass by."""
    y = modules(x[:, None, list(CONVOLVED)]).transpose(1, 2).flatten(1)
    return torch.cat((y, x[:, [2, 5]]), 1)


def test_each_network_is_torchs_convolution_in_training_and_prediction():
    seeds = [1, 2, 3]
    front, x = front_end(seeds), inputs(3)
    for layer in front.layers:
        with torch.no_grad():
            layer.gamma += 0.3 * torch.rand_like(layer.gamma)
            layer.beta += 0.3
    y = front(x, seeded_generators(seeds))
    y.sin().sum().backward()
    assert y.shape == (3, 20, front.n_out) == (3, 20, 5 * CHANNELS + 2)
    gradients = [layer.weight.grad for layer in front.layers]
    settled = front.settle(x)
    torch.testing.assert_close(settled, y.detach())
    for k in range(3):
        modules = torch_modules(front, k)
        yk = expected(modules, x[k])
        yk.sin().sum().backward()
        torch.testing.assert_close(y[k], yk, rtol=1e-10, atol=1e-10)
        for gradient, conv in zip(gradients, modules[::3], strict=True):
            own = conv.weight.grad.flatten(1).T
            torch.testing.assert_close(gradient[k], own, rtol=1e-8, atol=1e-8)
        predicted = expected(torch_modules(front, k).eval(), x[k, :4])
        alone = front(x[:, :4], None)[k]
        torch.testing.assert_close(alone, predicted, rtol=1e-10, atol=1e-10)


def test_gradients_agree_with_finite_differences():
    front = front_end([1, 2], layers=1)
    x = inputs(2, galaxies=4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: front(x, seeded_generators([1, 2])), x, atol=1e-6)


def test_a_window_has_the_neighbours_and_zeros_beyond_the_ends():
    x = torch.arange(1.0, 5.0).view(1, 1, 4, 1)
    assert windows(x, 3).tolist() == [[[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0]]]


def test_a_feature_that_moves_by_a_band_moves_its_channels_by_a_band():
    front = ConvolutionalFrontEnd(9, range(9), 1, 3, 3, seeded_generators([5])).double()
    front.settle(torch.randn(1, 50, 9, generator=torch.Generator().manual_seed(1)).double())
    line = torch.zeros(1, 2, 9).double()
    line[0, 0, 3] = line[0, 1, 4] = 2.0
    channels = front(line, None).view(2, 9, 3)
    torch.testing.assert_close(channels[0, 1:7], channels[1, 2:8])
    assert not torch.allclose(channels[0, 2:8], channels[1, 2:8])


def band(name, kind, wavelength):
    return Band(name, kind, np.array([wavelength - 50.0, wavelength + 50]), np.array([1.0, 1]))


def test_narrow_bands_are_convolved_in_the_order_of_wavelength():
    bands = [band("N7", "narrow", 7000), band("i", "broad", 7500), band("N5", "narrow", 5000)]
    bands += [band("u", "broad", 3500), band("N6", "narrow", 6000)]
    config = NetworkConfig(front_end="convolutional", convolution_width=3)
    assert arranged(config, BandSet(tuple(bands))).convolved_inputs == (2, 4, 0)
    assert arranged(NetworkConfig(), BandSet(tuple(bands))) == NetworkConfig()
    with pytest.raises(InputError, match="the survey has 2; use dense"):
        arranged(config, BandSet(tuple(bands[:4])))


def test_the_order_of_the_inputs_does_not_matter_once_they_are_arranged():
    order = torch.tensor([3, 5, 0, 6, 1, 4, 2])
    x = inputs(1)
    moved = tuple(int((order == k).nonzero()) for k in CONVOLVED)
    first = front_end([7])
    second = ConvolutionalFrontEnd(N_IN, moved, 2, CHANNELS, WIDTH, seeded_generators([7])).double()
    n = 5 * CHANNELS
    torch.testing.assert_close(first.settle(x)[..., :n], second.settle(x[..., order])[..., :n])


def test_lockstep_networks_with_a_front_end_equal_single_ones():
    seeds, x = [11, 12], inputs(2)
    z = torch.rand(2, 20, generator=torch.Generator().manual_seed(3)).double()
    together = DeepZ(CONFIG, N_IN, seeded_generators(seeds)).double()
    loss = negative_log_likelihood(together(x, seeded_generators(seeds)), z)
    loss.sum().backward()
    for k, seed in enumerate(seeds):
        alone = DeepZ(CONFIG, N_IN, seeded_generators([seed])).double()
        single = negative_log_likelihood(
            alone(x[k : k + 1], seeded_generators([seed])), z[k : k + 1]
        )
        single.sum().backward()
        torch.testing.assert_close(loss[k : k + 1], single, rtol=1e-10, atol=1e-12)
        for a, b in zip(alone.parameters(), together.parameters(), strict=True):
            if b.grad is not None:
                torch.testing.assert_close(a.grad[0], b.grad[k], rtol=1e-8, atol=1e-10)


def test_members_keep_their_front_ends_and_settled_statistics():
    network = DeepZ(CONFIG, N_IN, seeded_generators([1, 2]))
    x = inputs(2).float()
    network.settle(x)
    again = stacked([network.member(0), network.member(1)])
    torch.testing.assert_close(again(x).mean, network(x).mean)
    assert "encoder.front.layers.0.mean" in network.state_dict()
    assert all(len(value) == 2 for value in network.state_dict().values())


def test_a_dense_network_draws_the_weights_it_always_drew():
    plain = NetworkConfig(encoder_layers=1, decoder_layers=1, photoz_layers=1, width=4, features=2)
    other = NetworkConfig(
        encoder_layers=1, decoder_layers=1, photoz_layers=1, width=4, features=2,
        convolution_layers=3, convolution_channels=7,
    )  # fmt: skip
    states = [DeepZ(c, N_IN, seeded_generators([4])).state_dict() for c in (plain, other)]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_bfloat16_products_stay_close_to_float32():
    front, x = front_end([1]).float(), inputs(1, galaxies=300).float()
    exact = front(x, seeded_generators([1]))
    rough = front(x.bfloat16(), seeded_generators([1]))
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().max() < 0.1


@pytest.mark.parametrize("wrong", [{"convolution_width": 4}, {"front_end": "recurrent"}])
def test_impossible_front_ends_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NetworkConfig(**wrong)


def test_a_front_end_that_was_told_no_bands_is_refused():
    with pytest.raises(ValueError, match="arranged"):
        DeepZ(NetworkConfig(front_end="convolutional"), N_IN, seeded_generators([0]))
