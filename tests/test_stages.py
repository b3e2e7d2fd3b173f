"""Variants resolved to stages: what is shared, what is fair, what does not fit together."""

from pathlib import Path

import pytest

from photoz import configuration, consistency, figure_stages, stages
from photoz.files import InputError
from photoz.simulations.sky import load_reference
from photoz.survey.survey import load_survey

SURVEYS = Path(__file__).parents[1] / "config" / "surveys"
BASE = {
    "name": "run",
    "survey": str(SURVEYS / "paus.yaml"),
    "catalogues": {"one": {"kind": "mock"}, "two": {"kind": "template_mock"}},
    "simulations": {"sps": {"n_galaxies": 250, "chunk_size": 100}},
    "noise": {"bright": {}},
    "networks": {"small": {}, "large": {}},
    "pretraining": {
        "usual": {"network": "small", "simulation": "sps", "noise": "bright", "steps": 700}
    },
    "finetuning": {"usual": {"match_steps_of": "usual"}, "large": {"network": "large"}},
    "neighbours": {"near": {}},
    "templates": {"exact": {}},
    "variants": {
        "pretrained": {"pretraining": "usual", "finetuning": "usual", "splits": 3},
        "single": {"pretraining": "usual", "finetuning": "usual"},
        "scratch": {"finetuning": "usual"},
        "tenth": {"pretraining": "usual", "finetuning": "usual", "training_fraction": 0.1},
        "neighbours": {"method": "neighbours", "neighbours": "near", "catalogues": ["one"]},
    },
}


def resolved(**changes):
    return configuration.resolve(configuration.merge(BASE, changes))


def test_variants_that_differ_only_in_splits_share_their_training():
    run = resolved()
    names = {name: stages.variant_training(run, name).name for name in run["variants"]}
    assert names == {
        "pretrained": "usual.usual.100",
        "single": "usual.usual.100",
        "scratch": "none.usual.100",
        "tenth": "usual.usual.10",
        "neighbours": "neighbours.near.100",
    }
    assert len(stages.trainings(run)) == 4


def test_a_training_from_scratch_gets_the_steps_and_the_network_of_the_pretraining():
    run = resolved()
    scratch = stages.variant_training(run, "scratch")
    assert scratch.network == "small"
    assert stages.extra_steps(run, scratch) == 700
    for name in ("pretrained", "neighbours"):
        assert stages.extra_steps(run, stages.variant_training(run, name)) == 0


def test_a_finetuning_may_name_its_own_network():
    run = resolved(variants={"large": {"finetuning": "large"}})
    training = stages.variant_training(run, "large")
    assert training.network == "large"
    assert stages.extra_steps(run, training) == 0


def test_chunks_hold_every_galaxy_once():
    run = resolved()
    assert stages.chunks(run, "sps") == [100, 100, 50]
    even = resolved(simulations={"sps": {"n_galaxies": 200}})
    assert stages.chunks(even, "sps") == [100, 100]


def test_variants_run_on_their_catalogues_only():
    run = resolved()
    pairs = stages.evaluated(run)
    assert ("one", "neighbours") in pairs
    assert ("two", "neighbours") not in pairs
    assert len(pairs) == 9


def test_each_variant_is_compared_with_the_reference_once():
    run = resolved(evaluation={"comparisons": [["scratch", "pretrained"], ["tenth", "scratch"]]})
    assert stages.comparisons(run) == [
        ("single", "pretrained"),
        ("scratch", "pretrained"),
        ("tenth", "pretrained"),
        ("neighbours", "pretrained"),
        ("tenth", "scratch"),
    ]


def test_figures_that_need_a_network_or_a_mock_have_nothing_to_show_without_one():
    everything = figure_stages.shown(resolved())
    assert everything.network == "small"
    assert everything.mocks == ["one", "two"]
    assert figure_stages.shown(resolved(evaluation={"paper": ["two"]})).mocks == ["two"]
    assert len(everything.trainings) == 3
    config = dict(BASE, catalogues={"real": {"kind": "file", "path": "x.parquet"}})
    config["variants"] = {"neighbours": {"method": "neighbours", "neighbours": "near"}}
    bare = figure_stages.shown(configuration.resolve(config))
    assert (bare.network, bare.mocks, bare.trainings) == (None, [], [])


def test_denoising_is_shown_for_the_reference_that_has_an_autoencoder():
    assert figure_stages.denoised(resolved()) == ["usual"]
    blind = {"networks": {"small": {"features": 0}}}
    assert figure_stages.denoised(resolved(**blind)) == []
    second = {"network": "large", "simulation": "sps", "noise": "bright"}
    both = resolved(
        **blind,
        pretraining={"second": second},
        variants={"other": {"pretraining": "second", "finetuning": "usual"}},
    )
    assert figure_stages.denoised(both) == ["second"]
    assert figure_stages.denoised(resolved(evaluation={"reference": "scratch"})) == ["usual"]


def test_the_bands_that_mocks_need_are_those_of_the_real_galaxies():
    assert list(figure_stages.REAL_BANDS) == load_reference()["bands"]


@pytest.mark.parametrize("path", sorted(SURVEYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_mocks_of_a_shipped_survey_are_shown_where_it_has_those_bands(path):
    has_them = set(load_survey(path).bands.names) >= set(figure_stages.REAL_BANDS)
    assert figure_stages.shown(resolved(survey=str(path))).mocks == (
        ["one", "two"] if has_them else []
    )


@pytest.mark.parametrize(
    "bands",
    [
        "[{name: g, kind: broad, sedpy: sdss_g0}, {name: i, kind: broad, sedpy: sdss_i0}]",
        "[{source: paus_narrow_bands}]",
        "[u, B, V, r, i, z]",  # not bands; load_survey says so when the catalogue is made
        "17",
    ],
)
def test_mocks_without_those_bands_are_not_shown(tmp_path, bands):
    path = tmp_path / "survey.yaml"
    path.write_text(f"name: mine\nbands: {bands}\n")
    assert figure_stages.shown(resolved(survey=str(path))).mocks == []


def test_an_absent_survey_is_named():
    with pytest.raises(InputError, match=r"absent\.yaml: survey not found"):
        figure_stages.shown(resolved(survey="absent.yaml"))


def test_a_reader_is_told_which_results_are_transductive():
    finetuning = {"seen": {"match_steps_of": "usual", "unlabelled": "all"}}
    finetuning["unseen"] = {"match_steps_of": "usual", "unlabelled": "outside_fold"}
    variants = {name: {"pretraining": "usual", "finetuning": name} for name in finetuning}
    (note,) = stages.reading_notes(resolved(finetuning=finetuning, variants=variants))
    assert "`seen` are transductive" in note and "unseen" not in note
    assert stages.reading_notes(resolved()) == []


def test_the_ensemble_of_a_single_network_is_the_largest_with_its_training():
    run = resolved(evaluation={"reference": "single"})
    assert figure_stages.shown(run).ensembles == [("one", "pretrained"), ("two", "pretrained")]
    run = resolved(evaluation={"reference": "scratch"})
    assert figure_stages.shown(run).ensembles == [("one", "scratch"), ("two", "scratch")]


def test_a_figure_shows_the_variants_of_its_catalogues():
    run = resolved(figures={"variants": ["scratch", "neighbours", "single"]})
    assert figure_stages.drawn_variants(run, [("two", "single"), ("two", "scratch")]) == [
        "scratch",
        "single",
    ]
    assert figure_stages.drawn_variants(resolved(), [("two", "single")]) is None


def test_splits_are_grouped_into_jobs():
    run = resolved(
        finetuning={"usual": {"splits_per_job": 2}},
        variants={"pretrained": {"splits": 5}, "scratch": {"splits": 2, "catalogues": ["one"]}},
        splits={"n_splits": 8},
    )
    chosen = stages.variant_training(run, "pretrained")
    files = [stages.job_splits(run, "one", chosen, split) for split in range(6)]
    assert files == ["0-1", "0-1", "2-3", "2-3", "4", "4-5"]  # the sixth is no variant's
    assert [stages.splits_of(name) for name in files[3:]] == [[2, 3], [4], [4, 5]]
    jobs = [job for job in stages.jobs(run) if job.startswith("finetune/one/usual.usual.100/")]
    assert [job.rpartition("/")[2] for job in jobs] == ["split-0-1", "split-2-3", "split-4"]
    # No job is larger than the catalogue's variants ask for.
    scratch = stages.variant_training(run, "scratch")
    assert stages.job_splits(run, "one", scratch, 0) == "0-1"
    assert stages.job_splits(run, "two", scratch, 0) == "0"


def test_jobs_name_each_job_once():
    jobs = stages.jobs(resolved())
    assert len(jobs) == len(set(jobs))
    assert [job for job in jobs if job.startswith("simulate")] == [
        f"simulate/sps/chunk-{number}" for number in range(3)
    ]
    assert "finetune/one/usual.usual.100/split-2" in jobs
    assert "neighbours/one/neighbours.near.100/split-0" in jobs
    assert not any(job.startswith("predict/one/neighbours") for job in jobs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variants": {"x": {}}}, r"variants\.x\.finetuning: missing"),
        ({"variants": {"x": {"method": "neighbours"}}}, r"variants\.x\.neighbours: missing"),
        (
            {"variants": {"neighbours": {"finetuning": "usual"}}},
            r"neighbours\.finetuning: the method `neighbours` has no finetuning; remove it",
        ),
        ({"variants": {"x": {"method": "templates"}}}, r"variants\.x\.templates: missing"),
        (
            {
                "variants": {
                    "x": {"method": "templates", "templates": "exact", "finetuning": "usual"}
                }
            },
            r"x\.finetuning: the method `templates` has no finetuning; remove it",
        ),
        (
            {"variants": {"neighbours": {"templates": "exact"}}},
            r"neighbours\.templates: the method `neighbours` has no templates; remove it",
        ),
        (
            {"templates": {"exact": {"model": {"redshift_min": 2.0}}}},
            r"config: templates\.exact\.model: redshifts from 2\.0 to 1\.5",
        ),
        (
            {"templates": {"exact": {"fit": {"scale_max": 0.5}}}},
            r"config: templates\.exact\.fit: scale_min and scale_max must enclose 1",
        ),
        (
            {"pretraining": {"template_fit": BASE["pretraining"]["usual"]}},
            r"pretraining\.template_fit: this name is taken",
        ),
        (
            {"variants": {"x": {"finetuning": "usual", "neighbours": "near"}}},
            r"variants\.x\.neighbours: the method `network` has no neighbours",
        ),
        (
            {"finetuning": {"bare": {}}, "variants": {"x": {"finetuning": "bare"}}},
            r"finetuning\.bare\.network: missing; the variant 'x' is not pretrained",
        ),
        ({"variants": {"single": {"splits": 11}}}, r"single\.splits: 11 of only 10 splits; raise"),
        (
            {"pretraining": {"none": BASE["pretraining"]["usual"]}},
            r"pretraining\.none: this name is taken",
        ),
        ({"finetuning": {"usual": {"epochs": 5}}}, r"usual\.quiet_epochs: 10 of only 5 epochs"),
        (
            {"finetuning": {"usual": {"schedule": "stepwise", "stepwise": [[4, 1e-3]]}}},
            r"usual\.quiet_epochs: 10 of only 4 epochs",
        ),
        ({"evaluation": {"magnitude_edges": [20, 19]}}, r"magnitude_edges: edges must ascend"),
        ({"variants": {"tenth": {"catalogues": []}}}, r"variants\.tenth\.catalogues: empty; name"),
        (
            {"figures": {"catalogue": "two", "variants": ["neighbours"]}},
            r"figures\.variants: none of them runs on 'two', .*; name some of pretrained, si",
        ),
        ({"figures": {"variants": []}}, r"figures\.variants: none of them runs on 'one'"),
        (
            {"evaluation": {"comparisons": [["tenth", "single"], ["single", "single"]]}},
            r"evaluation\.comparisons: 'single' is compared with itself",
        ),
        ({"catalogues": {"mine": {"kind": "file", "path": "x"}}}, r"mine\.columns: missing"),
    ],
)
def test_choices_that_do_not_fit_together_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        consistency.check(resolved(**changes))


def test_choices_that_fit_together_pass():
    consistency.check(resolved(figures={"catalogue": "two", "variants": ["neighbours", "tenth"]}))


@pytest.mark.parametrize(
    ("files", "overrides", "expected"),
    [
        (["config/config.yaml"], {}, "snakemake all --cores 2"),
        (["a.yaml", "b c.yaml"], {}, "snakemake all --cores 2 --configfile a.yaml 'b c.yaml'"),
        (["config/config.yaml"], {"seed": 3}, "snakemake all --cores 2 --config seed=3"),
        (
            ["a.yaml"],
            {"results_dir": "my results", "splits": {"n_splits": "3"}},
            "snakemake all --cores 2 --configfile a.yaml --config 'results_dir=my results' "
            """'splits={"n_splits": "3"}'""",
        ),
    ],
)
def test_the_command_names_what_was_given(files, overrides, expected):
    assert stages.command(files, overrides) == expected


def test_a_catalogue_that_no_variant_runs_on_is_an_error():
    only_one = {name: {"catalogues": ["one"]} for name in BASE["variants"]}
    with pytest.raises(InputError, match=r"catalogues\.two: no variant runs on it"):
        consistency.check(resolved(variants=only_one))


def test_a_fresh_pretraining_reads_no_chunk_but_the_one_noise_is_shown_on():
    run = resolved(pretraining={"usual": {"fresh": True}})
    assert [job for job in stages.jobs(run) if job.startswith("simulate/")] == [
        "simulate/sps/chunk-0"
    ]
    stream = stages.stream(run, "sps")
    assert stream["kind"] == "populations" and stream["block_size"] == 100
    assert stream["galaxies"] == run["simulations"]["sps"]["prior"]
    assert stream["seed"] == configuration.derive_seed(run["seed"], "simulate", "sps")


LEARNED = {
    "noise": {"learned": {"kind": "empirical"}},
    "pretraining": {"own": {"network": "small", "simulation": "sps", "noise": "learned"}},
    "variants": {"learned": {"pretraining": "own", "finetuning": "usual", "splits": 2}},
}


def test_learned_noise_makes_a_pretraining_per_catalogue_and_split():
    run = resolved(**LEARNED)
    files = [item.file for item in stages.pretrainings(run)]
    assert files == ["usual", *(f"{c}/own/split-{k}" for c in ("one", "two") for k in (0, 1))]
    for item in stages.pretrainings(run):
        assert stages.Pretraining.from_file(item.file) == item
    own = stages.pretraining_for(run, "own", "two", 1)
    assert stages.noise_file(run, own) == "sps/learned/two/split-1"
    shared = stages.pretraining_for(run, "usual", "two", 1)
    assert (shared.file, stages.noise_file(run, shared)) == ("usual", "sps/bright/model")


def test_jobs_of_learned_noise_are_named():
    names = stages.jobs(resolved(**LEARNED))
    assert "learn_noise/sps/learned/two/split-1" in names
    assert "pretrain/one/own/split-0" in names
    assert "inject_noise/sps/learned" not in names
    assert "pretrain/own" not in names


def test_figures_show_the_first_split_of_such_a_pretraining():
    shown = figure_stages.shown(resolved(**LEARNED))
    assert shown.pretrainings == ["usual", "own"]
    assert shown.pretraining_files == ["usual", "one/own/split-0"]


def test_noise_is_learned_from_the_catalogue_that_is_trained_on():
    noise = {"noise": {"learned": {"kind": "empirical", "catalogue": "one"}}}
    run = configuration.merge(configuration.merge(BASE, LEARNED), noise)
    with pytest.raises(InputError, match=r"noise\.learned\.catalogue: 'one', but .* 'two'"):
        consistency.check(configuration.resolve(run))
    run["variants"]["learned"]["catalogues"] = ["one"]
    consistency.check(configuration.resolve(run))


def test_what_templates_are_drawn_from_is_their_own_settings():
    run = resolved(simulations={"sky": {"kind": "templates", "magnitude": [18, 22]}})
    section = stages.galaxies(run, "sky")
    assert section["magnitude"] == [18, 22] and "n_galaxies" not in section
    assert stages.galaxies(run, "sps") == run["simulations"]["sps"]["prior"]


FITTED = {
    "templates": {"exact": {"jobs_per_fold": 2}},
    "variants": {
        "bcnz2": {"method": "templates", "templates": "exact"},
        "bcnz2_tenth": {"method": "templates", "templates": "exact", "training_fraction": 0.1},
    },
}


def test_a_template_fit_is_named_after_its_setup_and_its_galaxies():
    run = resolved(**FITTED)
    training = stages.variant_training(run, "bcnz2")
    assert (training.name, training.templates) == ("template_fit.exact.100", "exact")
    assert (training.network, training.neighbours, training.pretraining) == (None, None, None)
    assert stages.variant_training(run, "bcnz2_tenth").name == "template_fit.exact.10"
    assert stages.extra_steps(run, training) == 0


def test_jobs_of_a_template_fit_are_parts_of_folds():
    run = resolved(**FITTED, splits={"n_folds": 3})
    names = [job for job in stages.jobs(run) if job.startswith("template_")]
    what = "one/template_fit.exact.100/split-0"
    assert names[0] == "template_model/exact"
    assert [job for job in names if what in job] == [
        job
        for fold in range(3)
        for job in (
            f"template_zero_points/{what}/fold-{fold}",
            f"template_fit/{what}/fold-{fold}/chunk-0",
            f"template_fit/{what}/fold-{fold}/chunk-1",
        )
    ] + [f"template_gather/{what}"]
    bare = {"templates": {"exact": {"zero_points": False, "prior": True}}}
    names = stages.jobs(configuration.resolve(configuration.merge(run, bare)))
    assert f"template_prior/{what}/fold-2" in names
    assert not [job for job in names if job.startswith("template_zero_points")]


def test_figures_show_template_fits_where_there_are_some():
    run = resolved(**FITTED)
    shown = figure_stages.shown(run)
    assert shown.crowding == ["pretrained", "scratch", "bcnz2"]
    training = "template_fit.exact.100"
    assert shown.zero_points == [("one", training), ("two", training)]
    run["templates"]["exact"]["zero_points"] = False
    assert figure_stages.shown(run).zero_points == []
    assert figure_stages.shown(resolved()).zero_points == []


def test_training_sizes_are_variants_that_differ_in_their_fraction_and_passes_only():
    changes = {
        "finetuning": {
            "longer": {"match_steps_of": "usual", "epochs": 400},
            "sharper": {"match_steps_of": "usual", "alpha": 1},
        },
        "variants": {
            "fifth": {"pretraining": "usual", "finetuning": "longer", "training_fraction": 0.2},
            "other": {"pretraining": "usual", "finetuning": "sharper", "training_fraction": 0.2},
            "again": {"pretraining": "usual", "finetuning": "usual"},
        },
    }
    run = resolved(**changes)
    expected = [("single", "tenth", 0.1), ("single", "fifth", 0.2), ("single", "single", 1.0)]
    assert figure_stages.training_sizes(run) == figure_stages.shown(run).training_sizes == expected
    del run["variants"]["tenth"], run["variants"]["fifth"]
    assert figure_stages.training_sizes(run) == []


def test_priors_are_those_of_the_simulations_that_networks_learn_from():
    run = resolved(simulations={"unused": {}, "sky": {"kind": "templates"}})
    assert list(stages.priors(run)) == ["sps"]
    assert stages.priors(run)["sps"]["tau"] == [0.1, 12.0]
    run["pretraining"]["usual"]["simulation"] = "sky"
    assert stages.priors(run) == {}


def test_examples_are_of_the_reference_on_the_catalogue_of_the_figures():
    assert figure_stages.shown(resolved()).example == [("one", "pretrained")]
    run = resolved(figures={"catalogue": "two"})
    assert figure_stages.shown(run).example == [("two", "pretrained")]
    run["evaluation"]["reference"] = "neighbours"  # not on that catalogue
    assert figure_stages.shown(run).example == [("one", "neighbours")]
