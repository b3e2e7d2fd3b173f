# The figures, one rule each: `snakemake --cores 2 fig8` draws that one and what it needs. `all` and
# the results page have every figure here, except where `drawn` says that this run cannot draw it.


# The network (paper, Fig. 1).
rule fig1:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        **figure("fig1", drawn=SHOWN.network),
    log:
        "<logs>/figures/fig1.log",
    benchmark:
        "<benchmarks>/figures/fig1.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        network=run["networks"].get(SHOWN.network),
    script:
        "../../scripts/fig1.py"


# Scatter against magnitude (paper, Fig. 2).
rule fig2:
    input:
        survey=run["survey"],
        curves=CURVES,
        metrics=fill("<results>/evaluation/{catalogue}/{variant}.parquet", DRAWN),
    output:
        **figure("fig2"),
    log:
        "<logs>/figures/fig2.log",
    benchmark:
        "<benchmarks>/figures/fig2.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        variants=LINES,
    script:
        "../../scripts/fig2.py"


# Scatter against the number of galaxies at nearly the same redshift (paper, Fig. 3).
rule fig3:
    input:
        metrics="<results>/evaluation/crowding.parquet",
    output:
        **figure("fig3"),
    log:
        "<logs>/figures/fig3.log",
    benchmark:
        "<benchmarks>/figures/fig3.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        variants=[name for name in SHOWN.crowding if LINES is None or name in LINES],
    script:
        "../../scripts/fig3.py"


# The autoencoder on one galaxy (paper, Fig. 4).
rule fig4:
    input:
        example=expand(
            "<results>/denoising/{pretraining}.example.parquet", pretraining=DENOISED
        ),
    output:
        **figure("fig4", drawn=DENOISED),
    log:
        "<logs>/figures/fig4.log",
    benchmark:
        "<benchmarks>/figures/fig4.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    script:
        "../../scripts/fig4.py"


# Errors of denoised fluxes, and their correlation (paper, Fig. 5).
rule fig5:
    input:
        bands=expand("<results>/denoising/{pretraining}.parquet", pretraining=DENOISED),
        correlation=expand(
            "<results>/denoising/{pretraining}.correlation.parquet",
            pretraining=DENOISED,
        ),
    output:
        **figure("fig5", drawn=DENOISED),
    log:
        "<logs>/figures/fig5.log",
    benchmark:
        "<benchmarks>/figures/fig5.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        pretraining=DENOISED,
    script:
        "../../scripts/fig5.py"


# Scatter against the share of exposures in random coadds (paper, Fig. 6).
rule fig6:
    input:
        members=fill(
            "<results>/evaluation/{catalogue}/{variant}.members.parquet",
            [(point.catalogue, point.variant) for point in SCAN],
        ),
    output:
        **figure("fig6", drawn=SCAN),
    log:
        "<logs>/figures/fig6.log",
    benchmark:
        "<benchmarks>/figures/fig6.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        points=[tuple(point) for point in SCAN],
    script:
        "../../scripts/fig6.py"


# p(z) of one galaxy with each exposure left out in turn (paper, Fig. 7).
rule fig7:
    input:
        pdf=fill("<results>/leave_one_out/{catalogue}/{variant}.hdf5", TEST_TIME[:1]),
        galaxies=fill(
            "<results>/leave_one_out/{catalogue}/{variant}.parquet", TEST_TIME[:1]
        ),
    output:
        **figure("fig7", drawn=TEST_TIME and run["figures"]["test_time"]),
    log:
        "<logs>/figures/fig7.log",
    benchmark:
        "<benchmarks>/figures/fig7.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        shown=[f"{variant} on {catalogue}" for catalogue, variant in TEST_TIME[:1]],
        galaxies=run["test_time"]["galaxies"],
    script:
        "../../scripts/fig7.py"


# PIT of one network and of the ensemble (paper, Fig. 8).
rule fig8:
    input:
        single=fill(
            "<results>/photoz/{catalogue}/{variant}.single.parquet", SHOWN.ensembles
        ),
        ensemble=fill("<results>/photoz/{catalogue}/{variant}.parquet", SHOWN.ensembles),
    output:
        **figure("fig8"),
    log:
        "<logs>/figures/fig8.log",
    benchmark:
        "<benchmarks>/figures/fig8.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        catalogues=[catalogue for catalogue, _ in SHOWN.ensembles],
    script:
        "../../scripts/fig8.py"


# Quality cuts (paper, Fig. 9).
rule fig9:
    input:
        curves=fill(
            "<results>/evaluation/{catalogue}/{variant}.completeness.parquet", DRAWN
        ),
    output:
        **figure("fig9"),
    log:
        "<logs>/figures/fig9.log",
    benchmark:
        "<benchmarks>/figures/fig9.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        variants=LINES,
        target_on=run["evaluation"]["paper"],
    script:
        "../../scripts/fig9.py"


# What wrong fluxes do to ellipticals (paper, Fig. B1).
rule figB1:
    input:
        table="<results>/outlier_test.parquet",
    output:
        **figure("figB1", drawn=run["figures"]["outlier_test"]),
    log:
        "<logs>/figures/figB1.log",
    benchmark:
        "<benchmarks>/figures/figB1.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    script:
        "../../scripts/figB1.py"


# Photo-z against spectroscopic redshift (paper, Fig. D1).
rule figD1:
    input:
        tables=fill(
            "<results>/photoz/{catalogue}/{variant}.parquet",
            [(SHOWN.catalogue, variant) for variant in SHOWN.variants],
        ),
    output:
        **figure("figD1"),
    log:
        "<logs>/figures/figD1.log",
    benchmark:
        "<benchmarks>/figures/figD1.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        variants=SHOWN.variants,
    script:
        "../../scripts/figD1.py"


# Scatter of redshifts between orders of the exposures (paper, Fig. F1).
rule figF1:
    input:
        tables=fill("<results>/exposure_orders/{catalogue}/{variant}.parquet", ORDERED),
    output:
        **figure("figF1", drawn=ORDERED),
    log:
        "<logs>/figures/figF1.log",
    benchmark:
        "<benchmarks>/figures/figF1.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        # The order that each of them was trained with.
        orders=[
            run["finetuning"][stages.variant_training(run, variant).finetuning][
                "individual_exposures"
            ]
            for _, variant in ORDERED
        ],
        present=[
            exposure_stages.layout(run, stages.variant_training(run, variant))
            for _, variant in ORDERED
        ],
        n_orders=run["test_time"]["orders"],
    script:
        "../../scripts/figF1.py"


# Scatter against the number of networks averaged (paper, section 5.2).
rule fig_members:
    input:
        members=fill(
            "<results>/evaluation/{catalogue}/{variant}.members.parquet", MEMBERS
        ),
    output:
        **figure("fig_members", drawn=MEMBERS),
    log:
        "<logs>/figures/fig_members.log",
    benchmark:
        "<benchmarks>/figures/fig_members.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    script:
        "../../scripts/fig_members.py"


# Quality cuts on what random coadds at test time tell (paper, section 6.2).
rule fig_test_time:
    input:
        curves=fill(
            "<results>/test_time/{catalogue}/{variant}.curves.parquet", TEST_TIME
        ),
    output:
        **figure("fig_test_time", drawn=TEST_TIME and run["figures"]["test_time"]),
    log:
        "<logs>/figures/fig_test_time.log",
    benchmark:
        "<benchmarks>/figures/fig_test_time.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        draws=run["test_time"]["draws"],
        alpha=run["test_time"]["alpha"],
    script:
        "../../scripts/fig_test_time.py"


# The mock survey beside real galaxies.
rule fig_mock:
    input:
        catalogues=expand("<results>/catalogues/{catalogue}.h5", catalogue=SHOWN.mocks),
        survey=run["survey"],
    output:
        **figure("fig_mock", drawn=SHOWN.mocks),
    log:
        "<logs>/figures/fig_mock.log",
    benchmark:
        "<benchmarks>/figures/fig_mock.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        catalogues=SHOWN.mocks,
    script:
        "../../scripts/fig_mock.py"


# Losses while training.
rule fig_training:
    input:
        pretraining=expand(
            "<results>/pretraining/{pretraining}.history.parquet",
            pretraining=SHOWN.pretraining_files,
        ),
        finetuning=[
            trained(SHOWN.catalogue, TRAININGS[name], suffix="history.parquet")
            for name in SHOWN.trainings
        ],
    output:
        **figure("fig_training", drawn=SHOWN.trainings),
    log:
        "<logs>/figures/fig_training.log",
    benchmark:
        "<benchmarks>/figures/fig_training.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        pretraining=SHOWN.pretrainings,
        finetuning=SHOWN.trainings,
    script:
        "../../scripts/fig_training.py"


# Example spectra of the simulation under the survey's bands.
rule fig_spectra:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        **figure("fig_spectra"),
    log:
        "<logs>/figures/fig_spectra.log",
    benchmark:
        "<benchmarks>/figures/fig_spectra.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        redshift=0.25,
    script:
        "../../scripts/fig_spectra.py"


# Zero-points of template fits, round by round.
rule fig_zero_points:
    input:
        survey=run["survey"],
        curves=CURVES,
        zero_points=[path for _, path in zero_point_files()],
    output:
        **figure("fig_zero_points", drawn=SHOWN.zero_points),
    log:
        "<logs>/figures/fig_zero_points.log",
    benchmark:
        "<benchmarks>/figures/fig_zero_points.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        catalogues=[catalogue for catalogue, _ in zero_point_files()],
    script:
        "../../scripts/fig_zero_points.py"


# Scatter against the number of training galaxies (paper, section 7).
rule fig_training_size:
    input:
        metrics=fill("<results>/evaluation/{catalogue}/{variant}.parquet", DRAWN),
    output:
        **figure("fig_training_size", drawn=SHOWN.training_sizes),
    log:
        "<logs>/figures/fig_training_size.log",
    benchmark:
        "<benchmarks>/figures/fig_training_size.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        sizes=SHOWN.training_sizes,
        n_folds=run["splits"]["n_folds"],
    script:
        "../../scripts/fig_training_size.py"


# PIT, coverage and CRPS by magnitude.
rule fig_calibration:
    input:
        survey=run["survey"],
        curves=CURVES,
        tables=fill("<results>/photoz/{catalogue}/{variant}.parquet", SHOWN.reference),
        metrics=fill("<results>/evaluation/{catalogue}/{variant}.parquet", DRAWN),
    output:
        **figure("fig_calibration"),
    log:
        "<logs>/figures/fig_calibration.log",
    benchmark:
        "<benchmarks>/figures/fig_calibration.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        catalogues=[catalogue for catalogue, _ in SHOWN.reference],
        variants=LINES,
    script:
        "../../scripts/fig_calibration.py"


# Fluxes and p(z) of galaxies from good to bad ODDS.
rule fig_examples:
    input:
        survey=run["survey"],
        curves=CURVES,
        catalogue=fill("<results>/catalogues/{catalogue}.h5", SHOWN.example),
        pdf=fill("<results>/photoz/{catalogue}/{variant}.hdf5", SHOWN.example),
        table=fill("<results>/photoz/{catalogue}/{variant}.parquet", SHOWN.example),
    output:
        **figure("fig_examples", drawn=SHOWN.example),
    log:
        "<logs>/figures/fig_examples.log",
    benchmark:
        "<benchmarks>/figures/fig_examples.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(5),
    params:
        catalogues=[catalogue for catalogue, _ in SHOWN.example],
        quantiles=[0.95, 0.75, 0.5, 0.25, 0.05],
    script:
        "../../scripts/fig_examples.py"
