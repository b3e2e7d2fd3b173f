"""How networks are trained, as configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PAPER_STEPS = ((100, 1e-3), (200, 1e-4), (200, 1e-5), (200, 1e-6))
PRECISIONS = ("float32", "bfloat16", "auto")
SCHEDULES = ("one_cycle", "stepwise")
TRAINED = ("all", "head")
UNLABELLED = ("none", "outside_fold", "all")
EXPOSURE_ORDERS = (None, "fixed", "same", "independent")


def _check(section: str, config: PretrainingConfig | FinetuningConfig) -> None:
    if config.schedule not in SCHEDULES:
        raise ValueError(f"{section}.schedule must be one of {SCHEDULES}, got {config.schedule!r}")
    if config.precision not in PRECISIONS:
        raise ValueError(
            f"{section}.precision must be one of {PRECISIONS}, got {config.precision!r}"
        )
    if config.batch_size < 2:
        raise ValueError(f"{section}.batch_size must be at least 2, got {config.batch_size}")
    if config.learning_rate <= 0:
        raise ValueError(f"{section}.learning_rate must be positive, got {config.learning_rate}")
    if not config.stepwise or any(len(phase) != 2 for phase in config.stepwise):
        raise ValueError(f"{section}.stepwise must list pairs of epochs and learning rate")


def _check_exposures(config: FinetuningConfig) -> None:
    if config.individual_exposures not in EXPOSURE_ORDERS:
        raise ValueError(
            f"finetuning.individual_exposures must be one of {EXPOSURE_ORDERS}, got "
            f"{config.individual_exposures!r}"
        )
    if not 0 < config.present_exposures <= 1:
        raise ValueError(
            f"finetuning.present_exposures must be in (0, 1], got {config.present_exposures}"
        )
    if not 0 <= config.wrong_fluxes <= 1 or config.wrong_amplitude < 0:
        raise ValueError(
            "finetuning.wrong_fluxes must be in [0, 1] and wrong_amplitude not negative, got "
            f"{config.wrong_fluxes} and {config.wrong_amplitude}"
        )


@dataclass(frozen=True)
class PretrainingConfig:
    """Training on simulations (paper, sections 2.4 and 3.3).

    Attributes
    ----------
    steps : int
        Optimiser steps.
    batch_size : int
        Galaxies a step.
    schedule, learning_rate, stepwise
        See `photoz.training.schedule.learning_rate`.
    weight_decay : float
        L2 penalty of Adam.
    reconstruction_weight : float
        Weight of the autoencoder's loss, mean |reconstruction - input| / error, beside the
        redshift loss.
    denoising : float or None
        Extra noise on the encoder's input, in units of the input's error. None means 1 when there
        are no more bands than features, where an autoencoder would otherwise learn the identity
        (paper, section 4.1), and 0 else.
    precision : str
        Precision of the matrix products: float32, bfloat16, or auto (bfloat16 where the processor
        multiplies it natively).
    dropout : bool
        Drop activations as in fine-tuning (the paper). Simulated galaxies under fresh noise leave
        nothing to memorise, and without dropout the same steps learn sharper redshifts.
    fresh : bool
        Simulate new galaxies throughout, none seen twice, instead of reading stored ones.
    """

    steps: int = 2500
    batch_size: int = 500
    schedule: str = "one_cycle"
    learning_rate: float = 1e-3
    stepwise: Sequence[Sequence[float]] = PAPER_STEPS
    weight_decay: float = 0.0
    reconstruction_weight: float = 1.0
    denoising: float | None = None
    precision: str = "float32"
    dropout: bool = True
    fresh: bool = False

    def __post_init__(self) -> None:
        _check("pretraining", self)
        if self.steps < 1:
            raise ValueError(f"pretraining.steps must be at least 1, got {self.steps}")


@dataclass(frozen=True)
class FinetuningConfig:
    """Training on galaxies with spectroscopic redshifts (paper, sections 2.4 and 5.1).

    Attributes
    ----------
    epochs : int
        Passes over the training galaxies; with the stepwise schedule its own epochs count.
    batch_size : int
        Galaxies a step; a smaller training set makes one batch.
    schedule, learning_rate, stepwise
        See `photoz.training.schedule.learning_rate`.
    weight_decay : float
        L2 penalty of Adam.
    alpha : float
        Probability that an exposure enters a randomised coadd; 1 uses the full coadds.
    empty_bands : str
        When no exposure of a band is drawn: keep_one measured exposure, or drop_galaxy from
        that step's loss.
    individual_exposures : str or None
        Every exposure is an input of its own, instead of coadds (appendix F), in a `fixed` order,
        in one that is the `same` for all bands and galaxies of a batch and new for the next, or in
        `independent` orders. `alpha` and `empty_bands` have no say then.
    present_exposures : float
        Share of the exposures, drawn once, that such networks are given.
    wrong_fluxes, wrong_amplitude : float
        Share of the fluxes, in any band and new at every step, that are multiplied by 1 + a with a
        uniform between minus and plus the amplitude (appendix B).
    quiet_epochs : int
        Last epochs that train as prediction will be: full coadds, no dropout. Without them the
        networks learn the width of redshifts measured through that extra noise, and their p(z)
        are too wide. The paper has none.
    calibrate : bool
        Correct p(z) on galaxies that a network did not see, see
        `photoz.training.calibrate`. The paper does not.
    mixup : float
        Parameter of the Beta distribution that galaxies are mixed with, see
        `photoz.training.mixup`; 0 mixes none.
    train : str
        `all` weights, or the `head` alone: the last linear layer.
    label_smoothing : float
        Scatter of the labels in units of the width of p(z), see
        `photoz.training.objective.smoothed`; the paper's is 0.15, 0 leaves them as they are.
    oversampling : float
        How much more often rare redshifts are drawn, from 0 (no more) to 1 (every redshift bin
        equally often), see `photoz.training.sampling`.
    unlabelled : str
        Galaxies that train the autoencoder meanwhile without their redshifts, see
        `photoz.training.unlabelled`: `none`, those `outside_fold`, or `all`, also those that the
        network will predict.
    reconstruction_weight : float
        Weight of that loss beside the redshift loss.
    precision : str
        As in `PretrainingConfig`.
    """

    epochs: int = 120
    batch_size: int = 500
    schedule: str = "one_cycle"
    learning_rate: float = 1e-3
    stepwise: Sequence[Sequence[float]] = PAPER_STEPS
    weight_decay: float = 1e-4
    alpha: float = 0.8
    empty_bands: str = "keep_one"
    individual_exposures: str | None = None
    present_exposures: float = 1.0
    wrong_fluxes: float = 0.0
    wrong_amplitude: float = 0.5
    quiet_epochs: int = 10
    calibrate: bool = True
    mixup: float = 0.0
    train: str = "all"
    label_smoothing: float = 0.0
    oversampling: float = 0.0
    unlabelled: str = "none"
    reconstruction_weight: float = 1.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        _check("finetuning", self)
        if self.epochs < 1:
            raise ValueError(f"finetuning.epochs must be at least 1, got {self.epochs}")
        if not 0 <= self.quiet_epochs <= self.total_epochs:
            raise ValueError(
                f"finetuning.quiet_epochs must be between 0 and the {self.total_epochs} epochs, "
                f"got {self.quiet_epochs}"
            )
        if not 0 < self.alpha <= 1:
            raise ValueError(f"finetuning.alpha must be in (0, 1], got {self.alpha}")
        if self.empty_bands not in ("keep_one", "drop_galaxy"):
            raise ValueError(
                f"finetuning.empty_bands must be keep_one or drop_galaxy, got {self.empty_bands!r}"
            )
        _check_exposures(self)

        for name in ("mixup", "label_smoothing", "reconstruction_weight"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"finetuning.{name} must not be negative, got {getattr(self, name)}"
                )
        if not 0 <= self.oversampling <= 1:
            raise ValueError(f"finetuning.oversampling must be in [0, 1], got {self.oversampling}")
        if self.train not in TRAINED:
            raise ValueError(f"finetuning.train must be one of {TRAINED}, got {self.train!r}")
        if self.unlabelled not in UNLABELLED:
            raise ValueError(
                f"finetuning.unlabelled must be one of {UNLABELLED}, got {self.unlabelled!r}"
            )
        if self.unlabelled != "none" and self.train == "head":
            raise ValueError("finetuning.unlabelled trains the autoencoder; needs `train: all`")

    @property
    def total_epochs(self) -> int:
        """Epochs of the chosen schedule."""
        if self.schedule == "stepwise":
            return int(sum(epochs for epochs, _ in self.stepwise))
        return self.epochs
