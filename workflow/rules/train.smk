# Networks: pretrained on simulations, fine-tuned on observed galaxies, asked for p(z).
# The folds of a split, or of several, are trained side by side in one job. Training takes one GPU where there is
# one (`--resources gpu=1` runs such jobs one by one), and one core where there is none: as many
# jobs as cores beat one job with many threads.


rule pretrain:
    input:
        simulation=pretraining_simulation,
        grid=pretraining_grid,
        noise=pretraining_noise,
        survey=run["survey"],
        curves=CURVES,
    output:
        networks="<results>/pretraining/{pretraining}.safetensors",
        history="<results>/pretraining/{pretraining}.history.parquet",
    log:
        "<logs>/pretrain/{pretraining}.log",
    benchmark:
        "<benchmarks>/pretrain/{pretraining}.tsv"
    # Most trainings wait for this one: it goes before those that start from random weights.
    priority: 2
    conda:
        GPU
    threads: pretraining_threads
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        section=section("pretraining", "pretraining"),
        network=stage("networks", "network"),
        stream=pretraining_galaxies,
        seed=seed("pretrain"),
    script:
        "../../scripts/pretrain.py"


rule finetune:
    input:
        catalogue=training_catalogue,
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        start=start_networks,
        survey=convolved_survey,
    output:
        networks="<results>/finetuning/{catalogue}/{training}/split-{splits}.safetensors",
        history="<results>/finetuning/{catalogue}/{training}/split-{splits}.history.parquet",
    log:
        "<logs>/finetune/{catalogue}/{training}/split-{splits}.log",
    benchmark:
        "<benchmarks>/finetune/{catalogue}/{training}/split-{splits}.tsv"
    # Long jobs before short ones, which then fill the cores beside the last long one.
    priority: 1
    conda:
        GPU
    threads: 1
    resources:
        gpu=1,
        mem_mb=growing(lambda wildcards, threads: 4000 * len(job_splits(wildcards))),
        runtime=growing(240),
    params:
        splits=lambda wildcards: job_splits(wildcards),
        section=lambda wildcards: run["finetuning"][training(wildcards).finetuning],
        network=lambda wildcards: run["networks"][training(wildcards).network],
        fraction=lambda wildcards: training(wildcards).fraction,
        extra_steps=lambda wildcards: stages.extra_steps(run, training(wildcards)),
        seeds=lambda wildcards: [
            split_seed(wildcards, split) for split in job_splits(wildcards)
        ],
    script:
        "../../scripts/finetune.py"


rule predict:
    input:
        catalogue=training_catalogue,
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        networks=split_networks,
    output:
        "<results>/predictions/{catalogue}/{training}/split-{split}.hdf5",
    log:
        "<logs>/predict/{catalogue}/{training}/split-{split}.log",
    benchmark:
        "<benchmarks>/predict/{catalogue}/{training}/split-{split}.tsv"
    wildcard_constraints:
        training=r"(?!neighbours\.|template_fit\.)[A-Za-z0-9_.-]+",
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    script:
        "../../scripts/predict.py"


rule neighbours:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        survey=run["survey"],
        curves=CURVES,
    output:
        "<results>/predictions/{catalogue}/{training}/split-{split}.hdf5",
    log:
        "<logs>/neighbours/{catalogue}/{training}/split-{split}.log",
    benchmark:
        "<benchmarks>/neighbours/{catalogue}/{training}/split-{split}.tsv"
    wildcard_constraints:
        training=r"neighbours\.[A-Za-z0-9_.-]+",
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        section=lambda wildcards: run["neighbours"][training(wildcards).neighbours],
        fraction=lambda wildcards: training(wildcards).fraction,
        seed=split_seed,
    script:
        "../../scripts/neighbours.py"


# How much noise the autoencoder of a pretraining takes away (paper, section 4.2 and Fig. 5).
rule denoising:
    input:
        networks="<results>/pretraining/{pretraining}.safetensors",
        simulation=lambda wildcards: simulation_chunks(
            run["pretraining"][wildcards.pretraining]["simulation"]
        )[:1],
        noise=pretraining_noise,
        survey=run["survey"],
        curves=CURVES,
    output:
        bands="<results>/denoising/{pretraining}.parquet",
        correlation="<results>/denoising/{pretraining}.correlation.parquet",
        table=report(
            "<results>/tables/denoising-{pretraining}.csv",
            caption="../report/denoising.rst",
            category="Tables",
            labels={"table": "denoising of {pretraining}"},
        ),
    log:
        "<logs>/denoising/{pretraining}.log",
    benchmark:
        "<benchmarks>/denoising/{pretraining}.tsv"
    wildcard_constraints:
        pretraining=NAME,
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        seed=seed("denoising"),
    script:
        "../../scripts/denoising.py"


# The same on the simplest of simulations, one template (paper, section 4.1 and Fig. 4): an
# autoencoder of the pretraining's shape, trained by itself.
rule denoising_example:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        "<results>/denoising/{pretraining}.example.parquet",
    log:
        "<logs>/denoising_example/{pretraining}.log",
    benchmark:
        "<benchmarks>/denoising_example/{pretraining}.tsv"
    wildcard_constraints:
        pretraining=NAME,
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        network=stage("networks", "network"),
        steps=lambda wildcards: run["pretraining"][wildcards.pretraining]["steps"],
        seed=seed("denoising_example"),
    script:
        "../../scripts/denoising_example.py"
