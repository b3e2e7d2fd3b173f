"""Template fits: the rival of the networks, after BCNz2 (the paper's appendix A).

`build_model` makes the fluxes of all templates once per survey, `calibrate_zero_points` and
`learn_run_prior` learn from galaxies with known redshifts, `fit_catalogue` gives p(z).
"""

from photoz.templates.at_redshift import BestModel, fit_at_redshift
from photoz.templates.config import TemplateFitConfig
from photoz.templates.fit import TemplateFit, fit_catalogue
from photoz.templates.model import ModelConfig, ModelGrid, build_model
from photoz.templates.model_file import read_model, write_model
from photoz.templates.run_prior import RunPrior, learn_run_prior, read_run_prior, write_run_prior
from photoz.templates.runs import RUN_SETS, Run, elliptical_run, published_runs
from photoz.templates.zeropoints import (
    ZeroPoints,
    calibrate_zero_points,
    read_zero_points,
    write_zero_points,
)

__all__ = [
    "RUN_SETS",
    "BestModel",
    "ModelConfig",
    "ModelGrid",
    "Run",
    "RunPrior",
    "TemplateFit",
    "TemplateFitConfig",
    "ZeroPoints",
    "build_model",
    "calibrate_zero_points",
    "elliptical_run",
    "fit_at_redshift",
    "fit_catalogue",
    "learn_run_prior",
    "published_runs",
    "read_model",
    "read_run_prior",
    "read_zero_points",
    "write_model",
    "write_run_prior",
    "write_zero_points",
]
