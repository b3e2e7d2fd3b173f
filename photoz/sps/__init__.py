"""Stellar populations: from star-formation histories to spectra to band fluxes."""

from photoz.sps.cosmology import age_at_redshift, luminosity_distance
from photoz.sps.dust import CALZETTI, DUST_LAWS, DustLaw, calzetti
from photoz.sps.fluxes import PARAMETERS, simulate_fluxes
from photoz.sps.grid import SSPGrid, load_grid, save_grid
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel, Spectra, attenuate
from photoz.sps.projection import BandProjector

__all__ = [
    "CALZETTI",
    "DUST_LAWS",
    "PARAMETERS",
    "BandProjector",
    "DustLaw",
    "PopulationModel",
    "SSPGrid",
    "Spectra",
    "age_at_redshift",
    "age_weights",
    "attenuate",
    "calzetti",
    "load_grid",
    "luminosity_distance",
    "save_grid",
    "simulate_fluxes",
]
