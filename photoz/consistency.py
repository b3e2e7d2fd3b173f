"""Whether the choices of a run fit together, before the first job starts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from photoz import exposure_stages, figure_stages, inputs, stages
from photoz.files import InputError

MOST_CHUNKS = 100_000
"""Jobs of a simulation; Snakemake holds every one in memory."""
MOST_REDSHIFTS = 100_000
"""Nodes of the redshift grid of a template fit."""


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
    _check_wrapped_noise(config)
    for variant in config["variants"]:
        _check_noise(config, variant)
    _check_variants(config)
    _check_sizes(config)
    _check_training(config)
    _check_networks(config)
    for variant in config["variants"]:
        _check_head(config, variant)
    for name, section in config["templates"].items():
        _check_templates(name, section)
    _check_evaluation(config)
    exposure_stages.check(config)
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


def _check_sizes(config: Mapping[str, Any]) -> None:
    """Nothing is divided into more parts than a workflow can hold."""
    for name, section in config["simulations"].items():
        chunks = -(-section["n_galaxies"] // section["chunk_size"])
        if chunks > MOST_CHUNKS:
            raise InputError(
                f"config: simulations.{name}.chunk_size: {section['chunk_size']} galaxies a job "
                f"make {chunks} jobs, more than {MOST_CHUNKS}; raise it"
            )
    grids = [(f"templates.{name}.model", s["model"]) for name, s in config["templates"].items()]
    for where, grid in [*grids, ("outlier_test", config["outlier_test"])]:
        span = grid.get("redshift_max", 1.5) - grid.get("redshift_min", 0.0)
        if span > MOST_REDSHIFTS * grid["redshift_step"]:
            raise InputError(
                f"config: {where}.redshift_step: {grid['redshift_step']:g} makes more than "
                f"{MOST_REDSHIFTS} redshifts; raise it"
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


def _check_networks(config: Mapping[str, Any]) -> None:
    """Filters have a middle and bands to slide along, classifiers their classes."""
    for name, section in config["networks"].items():
        where, width = f"config: networks.{name}", section["convolution_width"]
        if section["front_end"] == "convolutional":
            narrow = inputs.narrow_bands(config)
            if width % 2 == 0:
                raise InputError(
                    f"{where}.convolution_width: {width} neighbouring bands have no middle one; "
                    "use an odd number"
                )
            if narrow < width:
                raise InputError(
                    f"{where}.front_end: a convolution covers {width} neighbouring narrow bands "
                    f"(convolution_width), and {config['survey']} has {narrow}; use `dense`"
                )
        width, highest = section["class_width"], section["class_redshift_max"]
        if section["head"] == "classes" and 2 * width > highest:
            raise InputError(
                f"{where}.class_width: fewer than two classes of {width:g} below "
                f"class_redshift_max, {highest:g}; make them thinner"
            )


def _check_head(config: Mapping[str, Any], variant: str) -> None:
    """What a fine-tuning asks for suits the head of the network, and its start."""
    training = stages.variant_training(config, variant)
    if training.network is None or training.finetuning is None:
        return
    section, network = config["finetuning"][training.finetuning], training.network
    where = f"config: finetuning.{training.finetuning}"
    classifier = config["networks"][network]["head"] == "classes"
    if classifier and section["calibrate"]:
        raise InputError(
            f"{where}.calibrate: the network {network!r} of the variant {variant!r} is a "
            "classifier, whose p(z) has no widths to correct; set it to false"
        )
    if section["label_smoothing"] and not classifier:
        raise InputError(
            f"{where}.label_smoothing: the network {network!r} of the variant {variant!r} is no "
            "classifier; set it to 0, or use a network with `head: classes`"
        )
    if section["train"] == "head" and training.pretraining is None:
        raise InputError(
            f"{where}.train: the variant {variant!r} is not pretrained, and all but its head would "
            "stay random; use `all`, or name a pretraining"
        )
    if section["unlabelled"] != "none" and not config["networks"][network]["features"]:
        raise InputError(
            f"{where}.unlabelled: the network {network!r} of the variant {variant!r} has no "
            "autoencoder to train; set it to `none`"
        )
    if section["unlabelled"] != "none" and section["train"] == "head":
        raise InputError(
            f"{where}.unlabelled: trains the autoencoder, and `train: head` leaves it as it is; "
            "use one of them"
        )
    if classifier and training.pretraining is not None:
        _check_classes(config, network, training.pretraining)


def _check_classes(config: Mapping[str, Any], network: str, pretraining: str) -> None:
    """No simulated galaxy is beyond the last class."""
    from photoz.simulations.priors import Prior  # slow to import

    simulation = config["pretraining"][pretraining]["simulation"]
    section = config["simulations"][simulation]
    if section["kind"] == "populations":
        highest = Prior.from_mapping(section["prior"]).redshift[1]
    else:
        highest = section["redshift"][1]
    if highest > config["networks"][network]["class_redshift_max"]:
        raise InputError(
            f"config: networks.{network}.class_redshift_max: simulation {simulation!r} goes to "
            f"redshift {highest:g}; raise it"
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
    catalogue, wanted = figure_stages.shown(config).catalogue, config["figures"]["variants"]
    here = stages.variants_of(config, catalogue)
    if wanted is not None and not set(wanted) & set(here):
        raise InputError(
            f"config: figures.variants: none of them runs on {catalogue!r}, the catalogue of the "
            f"figures; name some of {', '.join(here)}"
        )


def _check_wrapped_noise(config: Mapping[str, Any]) -> None:
    """What wraps a noise wraps one that does not."""
    for name, section in config["noise"].items():
        if section["kind"] == stages.OUTLYING:
            usual = section["noise"]
            if config["noise"][usual]["kind"] == stages.OUTLYING:
                raise InputError(
                    f"config: noise.{name}.noise: {usual!r} is of the kind `outlying` too; name "
                    "the noise below it"
                )


def _check_noise(config: Mapping[str, Any], variant: str) -> None:
    """Learned noise is that of the catalogue whose folds the networks are trained on."""
    pretraining = stages.variant_training(config, variant).pretraining
    if pretraining is None or not stages.learns_noise(config, pretraining):
        return
    noise = config["pretraining"][pretraining]["noise"]
    section = stages.noise_section(config, noise)
    learned = section.get("noise", section)["catalogue"]
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
