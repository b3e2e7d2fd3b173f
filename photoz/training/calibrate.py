"""How wide the p(z) of a split's networks should be and where, learned from galaxies not seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.calibration import calibrated
from photoz.networks.density import Mixture, negative_log_likelihood
from photoz.pdf.mixture import MixturePDF
from photoz.survey.catalogue import Catalogue
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.galaxies import training_galaxies
from photoz.training.predict import predict_folds

logger = logging.getLogger(__name__)

# Where the fit starts, and how far from no correction a parameter may well be: with few galaxies
# these decide, with a hundred the galaxies do.
START = (0.0, 0.0, -3.0, 0.0, 0.0)  # log_scale, slope, the logit of wings, shift / SHIFT, tilt
SPREAD = (0.5, 0.5, 2.0, 1.0, 0.5)
SHIFT = 1e-3


def calibrate(
    trained: TrainedNetworks,
    catalogue: Catalogue,
    folds: np.ndarray,
    training_fraction: float,
    seed: Sequence[int],
) -> None:
    """Set the calibration of every network of a split.

    The network of fold f learns from the galaxies it trained on, each as predicted by the network
    of its own fold, which never saw it. The redshifts of fold f are left out of the fit; they enter
    only through the weights of those other networks, of which the fit keeps five numbers.

    Parameters
    ----------
    trained : TrainedNetworks
        One network per fold, not calibrated yet; changed in place.
    catalogue, folds, training_fraction, seed
        As in the training.

    Raises
    ------
    InputError
        If the networks are classifiers: the correction is one of Gaussians.
    """
    pdf = predict_folds(trained, catalogue, folds)
    if not isinstance(pdf, MixturePDF):
        raise InputError("calibrate: p(z) of classes has no widths to correct; calibrate: false")
    for fold in range(trained.network.n_networks):
        index = training_galaxies(catalogue, folds, fold, training_fraction, seed)
        log_weight = np.log(np.maximum(pdf.weights[index], 1e-300))
        held_out = Mixture(
            *(
                torch.as_tensor(values, dtype=torch.float64).unsqueeze(0)
                for values in (log_weight, pdf.means[index], np.log(pdf.sigmas[index]))
            )
        )
        redshift, magnitude = (
            torch.as_tensor(values[index], dtype=torch.float64).unsqueeze(0)
            for values in (catalogue.redshift, catalogue.mag_i)
        )
        parameters, before, after = _fit(held_out, magnitude, redshift)
        trained.network.calibration[fold] = parameters.to(trained.network.calibration)
        logger.info(
            "fold %d: log scale %.3f, slope %.3f, wings %.3f, shift %.5f, tilt %.3f at %.2f; "
            "held-out loss %.4f -> %.4f",
            *(fold, *parameters.tolist(), before, after),
        )


def _fit(p: Mixture, magnitude: Tensor, redshift: Tensor) -> tuple[Tensor, float, float]:
    """Parameters of the largest posterior, and the loss before and after."""
    start, spread = (torch.tensor(x, dtype=torch.float64) for x in (START, SPREAD))
    free, pivot = start.clone().requires_grad_(), magnitude.median()
    optimiser = torch.optim.LBFGS([free], max_iter=100, line_search_fn="strong_wolfe")

    def parameters() -> Tensor:
        log_scale, slope, wings, shift, tilt = free
        return torch.stack([log_scale, slope, torch.sigmoid(wings), SHIFT * shift, tilt, pivot])

    def loss() -> Tensor:
        corrected = calibrated(p, magnitude, parameters()[None])
        return negative_log_likelihood(corrected, redshift).sum()

    def closure() -> Tensor:
        optimiser.zero_grad()
        penalty = 0.5 * ((free - start) / spread).square().sum() / redshift.numel()
        objective = loss() + penalty
        objective.backward()
        return objective

    before = negative_log_likelihood(p, redshift).item()
    optimiser.step(closure)
    return parameters().detach(), before, loss().item()
