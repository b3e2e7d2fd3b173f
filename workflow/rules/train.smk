# Networks: pretrained on simulations, fine-tuned on observed galaxies, asked for p(z).
# The folds of a split are trained side by side in one job. Training takes one GPU where there is
# one (`--resources gpu=1` runs such jobs one by one), and one core where there is none: as many
# jobs as cores beat one job with many threads.


rule pretrain:
    input:
        simulation=pretraining_simulation,
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
    priority: 1
    conda:
        GPU
    threads: 1
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=240,
    params:
        section=section("pretraining", "pretraining"),
        network=stage("networks", "network"),
        seed=seed("pretrain"),
    script:
        "../../scripts/pretrain.py"


rule finetune:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        start=start_networks,
    output:
        networks="<results>/finetuning/{catalogue}/{training}/split-{split}.safetensors",
        history="<results>/finetuning/{catalogue}/{training}/split-{split}.history.parquet",
    log:
        "<logs>/finetune/{catalogue}/{training}/split-{split}.log",
    benchmark:
        "<benchmarks>/finetune/{catalogue}/{training}/split-{split}.tsv"
    conda:
        GPU
    threads: 1
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=240,
    params:
        section=lambda wildcards: run["finetuning"][training(wildcards).finetuning],
        network=lambda wildcards: run["networks"][training(wildcards).network],
        fraction=lambda wildcards: training(wildcards).fraction,
        extra_steps=lambda wildcards: stages.extra_steps(run, training(wildcards)),
        seed=split_seed,
    script:
        "../../scripts/finetune.py"


rule predict:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        networks="<results>/finetuning/{catalogue}/{training}/split-{split}.safetensors",
    output:
        "<results>/predictions/{catalogue}/{training}/split-{split}.hdf5",
    log:
        "<logs>/predict/{catalogue}/{training}/split-{split}.log",
    benchmark:
        "<benchmarks>/predict/{catalogue}/{training}/split-{split}.tsv"
    wildcard_constraints:
        training=r"(?!neighbours\.)[A-Za-z0-9_.-]+",
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
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
        mem_mb=2000,
        runtime=15,
    params:
        section=lambda wildcards: run["neighbours"][training(wildcards).neighbours],
        fraction=lambda wildcards: training(wildcards).fraction,
        seed=split_seed,
    script:
        "../../scripts/neighbours.py"
