# Simulated galaxies to pretrain on, and the noise put on them (paper, sections 2.4 and 3.2).


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
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        prior=lambda wildcards: run["simulations"][wildcards.simulation]["prior"],
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
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        section=section("noise", "noise"),
        seed=seed("noise"),
    script:
        "../../scripts/inject_noise.py"
