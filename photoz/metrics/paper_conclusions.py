"""What Eriksen et al. (2020) conclude, as comparisons of variants by the names in `config/`.

Numbers of the paper are ratios of what it prints (sections 3.3, 5.2 and 7). Where it says "at the
faint end" the galaxies are those beyond i = 21.8, where BCNz2 and unpretrained networks cross in
its Fig. 2, and those beyond i = 22.25 where it gives a number for i = 22.5.
"""

from __future__ import annotations

from photoz.metrics.comparisons import SINGLE_SPLITS
from photoz.metrics.conclusions import Conclusion

FAINT, FAINTEST, BRIGHT = "i > 21.8", "i > 22.25", "i < 21.8"
SPARSE, CROWDED = "at most 5 in dz = 0.001", "at least 20 in dz = 0.001"

PRETRAINING = (
    Conclusion(
        "pretraining helps",
        "Pretraining on FSPS-style simulations lowers the scatter.",
        *("3.3", "single", "no_pretraining", "lower"),
        paper="0.73",  # 0.0069 / 0.0095
    ),
    Conclusion(
        "template pretraining helps",
        "Pretraining on template simulations lowers it too.",
        *("3.3", "template_sims", "no_pretraining", "lower"),
        paper="0.81",  # 0.0077 / 0.0095
    ),
    Conclusion(
        "pretraining at the faint end",
        "At the faint end pretraining lowers the scatter by half.",
        *("3.3", "single", "no_pretraining", "lower"),
        galaxies=FAINTEST,
        paper="0.5",
    ),
    Conclusion(
        "pretraining helps the faint most",
        "Pretraining helps faint galaxies more than bright ones.",
        *("7", "single", "no_pretraining", "lower"),
        galaxies=FAINT,
        against=BRIGHT,
    ),
    Conclusion(
        "FSPS beats templates",
        "FSPS-style simulations are better to pretrain on than template simulations.",
        *("3.3", "single", "template_sims", "lower"),
        paper="0.90",  # 0.0069 / 0.0077
    ),
    Conclusion(
        "fixed ionisation",
        "Simulations of one gas ionisation are slightly worse.",
        *("3.3", "fixed_ionisation", "single", "higher"),
    ),
    Conclusion(
        "more redshifts help",
        "The scatter falls until all redshifts are used: all of them beside half.",
        *("7", "single", "single_half", "lower"),
    ),
)
TEMPLATE_FIT = (
    Conclusion(
        "unpretrained networks lose",
        "Networks that were not pretrained scatter more than BCNz2 ...",
        *("3.3, 7", "no_pretraining", "bcnz2", "higher"),
        galaxies=BRIGHT,
    ),
    Conclusion(
        "... but not at the faint end",
        "... except for the faintest galaxies.",
        *("3.3", "no_pretraining", "bcnz2", "lower"),
        galaxies=FAINT,
    ),
    Conclusion(
        "DEEPZ beats BCNz2",
        "At i = 22.5 DEEPZ halves the scatter of BCNz2.",
        *("7", "deepz", "bcnz2", "lower"),
        galaxies=FAINTEST,
        alike=False,
        paper="0.5",
    ),
    Conclusion(
        "one network beats BCNz2",
        "The same of one pretrained network (the paper has the ensemble).",
        *("7", "single", "bcnz2", "lower"),
        galaxies=FAINTEST,
    ),
    Conclusion(
        "fewer outliers than BCNz2",
        "DEEPZ has fewer strict outliers than BCNz2.",
        *("7", "deepz", "bcnz2", "lower", "strict_outliers"),
        alike=False,
        paper="0.59",  # 0.10 / 0.17
    ),
    Conclusion(
        "BCNz2 at sparse redshifts",
        "Where few galaxies have a redshift, BCNz2 scatters less than a pretrained network ...",
        *("3.4", "bcnz2", "single", "lower"),
        galaxies=SPARSE,
    ),
    Conclusion(
        "DEEPZ at crowded redshifts",
        "... and more where many have.",
        *("3.4, 7", "bcnz2", "single", "higher"),
        galaxies=CROWDED,
    ),
)
NETWORK = (
    Conclusion(
        "the autoencoder helps the faint",
        "Without the autoencoder's features faint galaxies scatter more.",
        *("4.2", "single", "no_autoencoder", "lower"),
        galaxies=FAINT,
    ),
    Conclusion(
        "random coadds help",
        "Training on random coadds (alpha = 0.8) lowers the scatter of one network.",
        *("5.1", "single", "alpha_one", "lower"),
        paper="0.80",
    ),
    Conclusion(
        "random coadds help ensembles",
        "The same of networks of several splits together.",
        *("5.2", "random_coadds", "full_coadds", "lower"),
    ),
    Conclusion(
        "the ensemble helps",
        "Averaging the networks of several splits lowers the scatter further.",
        *("5.2, 7", "deepz", SINGLE_SPLITS, "lower"),
        paper="0.90",
    ),
    Conclusion(
        "the ensemble helps the faintest",
        "The same at i = 22.5.",
        *("5.2", "deepz", SINGLE_SPLITS, "lower"),
        galaxies=FAINTEST,
        paper="0.90",
    ),
    Conclusion(
        "a convolutional front end",
        "Convolutions over the narrow bands do not help.",
        *("2.2", "convolutional", "single", "not lower"),
    ),
    Conclusion(
        "mixup",
        "Mixup does not help.",
        *("3.4", "mixup", "single", "not lower"),
    ),
    Conclusion(
        "label smoothing",
        "A classifier with smoothed labels is no better than a mixture of Gaussians ...",
        *("E", "label_smoothing", "single", "not lower"),
    ),
    Conclusion(
        "label smoothing of a classifier",
        "... but better than a classifier without.",
        *("E", "label_smoothing", "classifier", "lower"),
    ),
)
DENSITIES = (
    Conclusion(
        "the better half",
        "The better half by ODDS reaches the target of PAUS.",
        *("6.2", "deepz", None, "lower", "best half by ODDS"),
        target=0.0035,
        paper="< 1",
    ),
    Conclusion(
        "ODDS beats the width",
        "ODDS is a better cut than the width of p(z).",
        *("6.2", "deepz", "deepz", "lower", "best half by ODDS", "best half by width"),
    ),
    Conclusion(
        "variance over coadds",
        "Galaxies whose photo-z varies more between random coadds scatter less.",
        *("6.2", "random_coadds", "random_coadds", "lower", "varying half", "steady half"),
    ),
    Conclusion(
        "p(z) of one network",
        "The PIT of one network is close to uniform but for its ends: within 15 % of flat.",
        *("6.1", "single", None, "lower", "PIT, centre"),
        target=0.15,
    ),
    Conclusion(
        "p(z) of the ensemble",
        "The PIT of the ensemble is close to uniform as well.",
        *("6.1", "deepz", None, "lower", "PIT, centre"),
        target=0.15,
    ),
    Conclusion(
        "the ensemble is calibrated better",
        "The PIT of the ensemble is closer to uniform than that of one network ...",
        *("6.1, 7", "deepz", SINGLE_SPLITS, "lower", "PIT, KS"),
    ),
    Conclusion(
        "fewer unforeseen outliers",
        "... because fewer galaxies are outliers that p(z) does not foresee.",
        *("6.1", "deepz", SINGLE_SPLITS, "lower", "PIT, ends"),
    ),
)
PAPER_CONCLUSIONS = (*PRETRAINING, *TEMPLATE_FIT, *NETWORK, *DENSITIES)
