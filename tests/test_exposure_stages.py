"""What the experiments on exposures show, need and refuse."""

import pytest

from photoz import configuration, consistency, exposure_stages, stages
from photoz.files import InputError
from tests.test_stages import BASE, resolved

NEAREST = {"method": "neighbours", "neighbours": "near"}
SCAN = {
    "finetuning": {
        "half": {"match_steps_of": "usual", "alpha": 0.5},
        "full": {"match_steps_of": "usual", "alpha": 1},
        "full_drop": {"match_steps_of": "usual", "alpha": 1, "empty_bands": "drop_galaxy"},
        "drop": {"match_steps_of": "usual", "alpha": 0.5, "empty_bands": "drop_galaxy"},
        "longer": {"match_steps_of": "usual", "alpha": 0.5, "epochs": 90},
        "sparse": {
            "match_steps_of": "usual",
            "individual_exposures": "same",
            "present_exposures": 0.3,
        },
        "ordered": {"match_steps_of": "usual", "individual_exposures": "fixed"},
    },
    "variants": {
        "half": {"pretraining": "usual", "finetuning": "half"},
        "full": {"pretraining": "usual", "finetuning": "full", "catalogues": ["one"]},
        "full_drop": {"pretraining": "usual", "finetuning": "full_drop", "catalogues": ["one"]},
        "drop": {"pretraining": "usual", "finetuning": "drop", "catalogues": ["one"]},
        "longer": {"pretraining": "usual", "finetuning": "longer"},
        "bare": {"finetuning": "half"},
        "sparse": {"finetuning": "sparse"},
        "ordered": {"finetuning": "ordered", "catalogues": ["two"]},
    },
}


def test_only_variants_that_differ_in_alpha_alone_are_scanned():
    points = exposure_stages.alpha_scan(resolved(**SCAN))
    assert [tuple(point) for point in points] == [
        ("one", "pretrained", 0.8, "keep_one"),  # `single` is the same with fewer splits
        ("one", "half", 0.5, "keep_one"),
        ("one", "full", 1, "keep_one"),  # nothing is random: `full_drop` is the same
        ("one", "drop", 0.5, "drop_galaxy"),
        ("two", "pretrained", 0.8, "keep_one"),
        ("two", "half", 0.5, "keep_one"),
    ]


def test_a_run_of_one_alpha_has_no_scan():
    assert exposure_stages.alpha_scan(resolved()) == []
    without = configuration.resolve(BASE | {"variants": {"near": NEAREST}})
    assert exposure_stages.alpha_scan(without) == []


def test_a_reference_without_a_network_leaves_the_scan_as_it_was():
    of_neighbours = resolved(**SCAN, evaluation={"reference": "neighbours"})
    assert exposure_stages.alpha_scan(of_neighbours) == exposure_stages.alpha_scan(resolved(**SCAN))


def test_networks_on_single_exposures_have_a_catalogue_of_their_own():
    run = resolved(**SCAN)
    layouts = {
        name: exposure_stages.layout(run, stages.variant_training(run, name))
        for name in run["variants"]
    }
    assert {name: value for name, value in layouts.items() if value is not None} == {
        "sparse": "30",
        "ordered": "100",
    }
    assert exposure_stages.ordered(run) == [("one", "sparse")]
    assert exposure_stages.ordered(resolved()) == []


def test_coadds_at_test_time_are_for_the_reference_or_the_first_that_reads_them():
    run = resolved(**SCAN)
    assert exposure_stages.coadd_networks(run) == [("one", "pretrained"), ("two", "pretrained")]
    run = resolved(**SCAN, evaluation={"reference": "sparse"})
    assert exposure_stages.coadd_networks(run) == [("one", "pretrained"), ("two", "pretrained")]
    without = configuration.resolve(BASE | {"variants": {"near": NEAREST}})
    assert exposure_stages.coadd_networks(without) == []


def test_variants_that_share_their_networks_share_what_random_coadds_show():
    run = resolved(**SCAN, figures={"test_time": True})
    found = exposure_stages.varied(run)
    assert found[("two", "pretrained")] == found[("two", "single")] == ("two", "pretrained")
    assert ("two", "half") not in found
    assert exposure_stages.varied(resolved(**SCAN)) == {}


def test_members_are_networks_of_several_splits():
    assert exposure_stages.members(resolved()) == [("one", "pretrained"), ("two", "pretrained")]
    assert exposure_stages.members(resolved(figures={"variants": ["single"]})) == []
    fits = {"fits": {"method": "templates", "templates": "exact", "splits": 2}}
    run = configuration.resolve(BASE | {"variants": fits})
    assert exposure_stages.members(run) == []


def test_jobs_are_named_once():
    run = resolved(**SCAN, figures={"test_time": True})
    jobs = exposure_stages.jobs(run)
    assert len(jobs) == len(set(jobs))
    assert {"exposure_layout/one/30", "exposure_layout/two/100", "members/two/half"} <= set(jobs)
    assert {"random_coadds/two/pretrained", "leave_one_out/one/pretrained"} <= set(jobs)
    assert "leave_one_out/two/pretrained" not in jobs
    quiet = exposure_stages.jobs(resolved(**SCAN))
    assert not any(job.startswith(("random_coadds", "leave_one_out")) for job in quiet)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"finetuning": {"usual": {"present_exposures": 0.5}}},
            r"finetuning\.usual\.present_exposures: for networks with `individual_exposures` only",
        ),
        (
            {"finetuning": {"usual": {"individual_exposures": "same"}}},
            r"variants\.pretrained\.pretraining: simulated galaxies have no exposures, and finetu",
        ),
        (
            {
                "noise": {
                    "a": {"kind": "outlying", "noise": "b"},
                    "b": {"kind": "outlying", "noise": "a"},
                }
            },
            r"noise\.a\.noise: 'b' is of the kind `outlying` too; name the noise below it",
        ),
    ],
)
def test_choices_that_do_not_fit_together_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        consistency.check(resolved(**changes))


def test_wrong_fluxes_go_around_any_noise():
    wrong = {"kind": "outlying", "noise": "bright", "fraction": 0.2}
    run = resolved(noise={"wrong": wrong, "learned": {"kind": "empirical"}})
    section = stages.noise_section(run, "wrong")
    assert section["noise"] == run["noise"]["bright"] and section["fraction"] == 0.2
    assert stages.noise_section(run, "bright") == run["noise"]["bright"]
    around = {"kind": "outlying", "noise": "learned"}
    for noise, learns in (("learned", True), ("around", True), ("bright", False)):
        run = resolved(
            noise={"learned": {"kind": "empirical"}, "around": around},
            pretraining={"usual": {"noise": noise}},
        )
        assert stages.learns_noise(run, "usual") == learns
