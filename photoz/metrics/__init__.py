"""How good the redshifts and their densities are, with errors on every number."""

from photoz.metrics.binned import binned_metrics
from photoz.metrics.bootstrap import (
    PairedDifference,
    bootstrap_error,
    bootstrap_errors,
    paired_difference,
    ratio_contrast,
)
from photoz.metrics.calibration import (
    CentralBins,
    PitTests,
    calibration_table,
    central_bins,
    coverage,
    pit_histogram,
    pit_tests,
)
from photoz.metrics.comparisons import compare_variants
from photoz.metrics.pairing import require_same_galaxies
from photoz.metrics.point import (
    bias,
    catastrophic_outlier_fraction,
    n_invalid,
    nmad,
    outlier_fraction,
    redshift_error,
    sigma68,
    strict_outlier_fraction,
)
from photoz.metrics.quality import completeness_curve, quality_curves
from photoz.metrics.scores import crps, negative_log_likelihood

__all__ = [
    "CentralBins",
    "PairedDifference",
    "PitTests",
    "bias",
    "binned_metrics",
    "bootstrap_error",
    "bootstrap_errors",
    "calibration_table",
    "catastrophic_outlier_fraction",
    "central_bins",
    "compare_variants",
    "completeness_curve",
    "coverage",
    "crps",
    "n_invalid",
    "negative_log_likelihood",
    "nmad",
    "outlier_fraction",
    "paired_difference",
    "pit_histogram",
    "pit_tests",
    "quality_curves",
    "ratio_contrast",
    "redshift_error",
    "require_same_galaxies",
    "sigma68",
    "strict_outlier_fraction",
]
