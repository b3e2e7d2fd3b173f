"""A survey and its data: bands, catalogues, exposures, noise, selection and splits."""

from photoz.survey.bands import Band, BandSet
from photoz.survey.catalogue import Catalogue, Exposures, read_catalogue, write_catalogue
from photoz.survey.coadds import coadd
from photoz.survey.empirical_noise import EmpiricalNoise
from photoz.survey.ingest import ingest
from photoz.survey.noise import (
    FixedSNR,
    NoiseModel,
    SurveyDepth,
    add_noise,
    noise_model_from_dict,
    read_noise_model,
    write_noise_model,
)
from photoz.survey.noise_learning import learn_noise
from photoz.survey.outlying_noise import OutlyingNoise
from photoz.survey.photometry import (
    ab_magnitude,
    band_flux,
    band_weights,
    flux_from_magnitude,
    line_flux,
)
from photoz.survey.selection import RawCatalogue, Selection, select
from photoz.survey.splits import make_splits, read_folds, read_splits, write_splits
from photoz.survey.survey import ExposurePlan, Survey, load_survey, survey_from_dict

__all__ = [
    "Band",
    "BandSet",
    "Catalogue",
    "EmpiricalNoise",
    "ExposurePlan",
    "Exposures",
    "FixedSNR",
    "NoiseModel",
    "OutlyingNoise",
    "RawCatalogue",
    "Selection",
    "Survey",
    "SurveyDepth",
    "ab_magnitude",
    "add_noise",
    "band_flux",
    "band_weights",
    "coadd",
    "flux_from_magnitude",
    "ingest",
    "learn_noise",
    "line_flux",
    "load_survey",
    "make_splits",
    "noise_model_from_dict",
    "read_catalogue",
    "read_folds",
    "read_noise_model",
    "read_splits",
    "select",
    "survey_from_dict",
    "write_catalogue",
    "write_noise_model",
    "write_splits",
]
