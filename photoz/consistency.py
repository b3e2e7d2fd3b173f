"""Whether the choices of a run fit together, before the first job starts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from photoz import inputs, stages
from photoz.files import InputError


def check(config: Mapping[str, Any]) -> None:
    """Check what one key alone cannot show: that the choices of a run fit together.

    The survey is loaded, and the column maps of the user's catalogues are read.

    Raises
    ------
    InputError
        One line that names the key, or what is wrong with the survey file.
    """
    for name in (stages.NO_PRETRAINING, stages.NEIGHBOURS, stages.TEMPLATE_FIT):
        if name in config["pretraining"]:
            raise InputError(f"config: pretraining.{name}: this name is taken; choose another")
    for variant in config["variants"]:
        _check_noise(config, variant)
    _check_variants(config)
    _check_training(config)
    for name, section in config["templates"].items():
        _check_templates(name, section)
    _check_evaluation(config)
    inputs.check(config)


def _check_variants(config: Mapping[str, Any]) -> None:
    """Each variant has its splits and a catalogue, each catalogue a variant."""
    n_splits = config["splits"]["n_splits"]
    for variant, section in config["variants"].items():
        if section["splits"] > n_splits:
            raise InputError(
                f"config: variants.{variant}.splits: {section['splits']} of only {n_splits} "
                "splits; raise splits.n_splits"
            )
        if section["catalogues"] == []:
            raise InputError(
                f"config: variants.{variant}.catalogues: empty; name a catalogue, or leave it out "
                "to run on all"
            )
    for catalogue in config["catalogues"]:
        if not stages.variants_of(config, catalogue):
            raise InputError(
                f"config: catalogues.{catalogue}: no variant runs on it; remove it, or add it to "
                "a variant's catalogues"
            )


def _check_training(config: Mapping[str, Any]) -> None:
    """Schedules have their quiet epochs, and new galaxies come fast enough."""
    for name, section in config["finetuning"].items():
        epochs = section["epochs"]
        if section["schedule"] == "stepwise":
            epochs = sum(phase[0] for phase in section["stepwise"])
        if section["quiet_epochs"] > epochs:
            raise InputError(
                f"config: finetuning.{name}.quiet_epochs: {section['quiet_epochs']} of only "
                f"{epochs} epochs; lower it"
            )
    for name, section in config["pretraining"].items():
        if (
            section["fresh"]
            and config["simulations"][section["simulation"]].get("engine") == "fsps"
        ):
            raise InputError(
                f"config: pretraining.{name}.fresh: FSPS itself takes some 20 ms per galaxy, too "
                "long to wait for while a network trains; use `engine: matrix`, or `fresh: false`"
            )


def _check_evaluation(config: Mapping[str, Any]) -> None:
    """Comparisons, bins and figures have something to show."""
    for variant, other in config["evaluation"]["comparisons"]:
        if variant == other:
            raise InputError(
                f"config: evaluation.comparisons: {variant!r} is compared with itself; name two "
                "variants"
            )
    for key in ("magnitude_edges", "redshift_edges"):
        edges = config["evaluation"][key]
        if any(high <= low for low, high in pairwise(edges)):
            raise InputError(f"config: evaluation.{key}: edges must ascend, found {edges}")
    catalogue, wanted = stages.shown(config).catalogue, config["figures"]["variants"]
    here = stages.variants_of(config, catalogue)
    if wanted is not None and not set(wanted) & set(here):
        raise InputError(
            f"config: figures.variants: none of them runs on {catalogue!r}, the catalogue of the "
            f"figures; name some of {', '.join(here)}"
        )


def _check_noise(config: Mapping[str, Any], variant: str) -> None:
    """Learned noise is that of the catalogue whose folds the networks are trained on."""
    pretraining = stages.variant_training(config, variant).pretraining
    if pretraining is None or not stages.learns_noise(config, pretraining):
        return
    noise = config["pretraining"][pretraining]["noise"]
    learned = config["noise"][noise]["catalogue"]
    others = [
        name for name, other in stages.evaluated(config) if other == variant and name != learned
    ]
    if learned is not None and others:
        raise InputError(
            f"config: noise.{noise}.catalogue: {learned!r}, but the variant {variant!r} runs on "
            f"{others[0]!r}, which has other folds; leave it out to learn from each catalogue"
        )


def _check_templates(name: str, section: Mapping[str, Any]) -> None:
    """Settings of a template fit are what its dataclasses take."""
    from photoz.templates.config import TemplateFitConfig  # slow to import
    from photoz.templates.model import ModelConfig

    for key, settings in (("model", ModelConfig), ("fit", TemplateFitConfig)):
        try:
            settings(**section[key])
        except InputError as error:
            text = str(error).removeprefix("templates: ")
            raise InputError(f"config: templates.{name}.{key}: {text}") from error
