# Simulated galaxies to pretrain on, and the noise put on them (paper, sections 2.4 and 3.2).
# These rules go first: most trainings wait for the pretraining, and that waits for them.


rule ssp_grid:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        "<results>/sps/fsps.npz",
    log:
        "<logs>/ssp_grid.log",
    benchmark:
        "<benchmarks>/ssp_grid.tsv"
    priority: 2
    conda:
        FSPS
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(120),
    params:
        redshift_max=inputs.fsps_redshift_max(run),
    script:
        "../../scripts/ssp_grid.py"


# `--set-threads simulate=8` gives each job of `engine: fsps` eight FSPS processes.
rule simulate:
    input:
        survey=run["survey"],
        curves=CURVES,
        grid=ssp_grid,
    output:
        "<results>/simulations/{simulation}/chunk-{chunk}.h5",
    log:
        "<logs>/simulate/{simulation}/chunk-{chunk}.log",
    benchmark:
        "<benchmarks>/simulate/{simulation}/chunk-{chunk}.tsv"
    priority: 2
    conda:
        lambda wildcards: FSPS if runs_fsps(wildcards) else CPU
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards, threads: 3000 * threads if runs_fsps(wildcards) else 2000
        ),
        runtime=growing(lambda wildcards, threads: 600 if runs_fsps(wildcards) else 30),
    params:
        kind=lambda wildcards: run["simulations"][wildcards.simulation]["kind"],
        engine=lambda wildcards: run["simulations"][wildcards.simulation].get("engine"),
        galaxies=lambda wildcards: stages.galaxies(run, wildcards.simulation),
        n_galaxies=lambda wildcards: stages.chunks(run, wildcards.simulation)[
            int(wildcards.chunk)
        ],
        seed=lambda wildcards: configuration.derive_seed(
            run["seed"], "simulate", wildcards.simulation
        ),
    script:
        "../../scripts/simulate.py"


rule inject_noise:
    input:
        simulation=lambda wildcards: simulation_chunks(wildcards.simulation)[:1],
        survey=run["survey"],
        curves=CURVES,
    output:
        model="<results>/noise/{simulation}/{noise}/model.json",
        sample="<results>/noise/{simulation}/{noise}/sample.h5",
    log:
        "<logs>/inject_noise/{simulation}/{noise}.log",
    benchmark:
        "<benchmarks>/inject_noise/{simulation}/{noise}.tsv"
    priority: 2
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        section=lambda wildcards: stages.noise_section(run, wildcards.noise),
        seed=seed("noise"),
    script:
        "../../scripts/inject_noise.py"


# Noise learned from a catalogue: one model per fold of a split, without the galaxies of the fold.
rule learn_noise:
    input:
        simulation=lambda wildcards: simulation_chunks(wildcards.simulation)[:1],
        survey=run["survey"],
        curves=CURVES,
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
    output:
        model="<results>/noise/{simulation}/{noise}/{catalogue}/split-{split}.json",
        sample="<results>/noise/{simulation}/{noise}/{catalogue}/split-{split}.sample.h5",
    log:
        "<logs>/learn_noise/{simulation}/{noise}/{catalogue}/split-{split}.log",
    benchmark:
        "<benchmarks>/learn_noise/{simulation}/{noise}/{catalogue}/split-{split}.tsv"
    priority: 2
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        section=lambda wildcards: stages.noise_section(run, wildcards.noise),
        seed=seed("noise"),
    script:
        "../../scripts/learn_noise.py"


# The ranges that simulated galaxies are drawn from (paper, Table 1).
rule table1:
    input:
        [],
    output:
        report(
            "<results>/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "table 1"},
        ),
    log:
        "<logs>/table1.log",
    benchmark:
        "<benchmarks>/table1.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        priors=stages.priors(run),
    script:
        "../../scripts/table1.py"
