# Template fits (paper, appendix A), the rival of the networks. Zero-points and the prior on runs are
# learned for each fold from the galaxies outside it; a job fits a part of the galaxies of one fold.


rule template_model:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        "<results>/templates/{templates}.h5",
    log:
        "<logs>/template_model/{templates}.log",
    benchmark:
        "<benchmarks>/template_model/{templates}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        section=lambda wildcards: run["templates"][wildcards.templates]["model"],
    script:
        "../../scripts/template_model.py"


rule template_zero_points:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        model=template_model,
    output:
        "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.zero_points.json",
    log:
        "<logs>/template_zero_points/{catalogue}/{training}/split-{split}/fold-{fold}.log",
    benchmark:
        "<benchmarks>/template_zero_points/{catalogue}/{training}/split-{split}/fold-{fold}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        section=lambda wildcards: template_section(wildcards)["fit"],
        fraction=lambda wildcards: training(wildcards).fraction,
        seed=split_seed,
    script:
        "../../scripts/template_zero_points.py"


rule template_prior:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        model=template_model,
        zero_points=template_zero_points,
    output:
        "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.prior.json",
    log:
        "<logs>/template_prior/{catalogue}/{training}/split-{split}/fold-{fold}.log",
    benchmark:
        "<benchmarks>/template_prior/{catalogue}/{training}/split-{split}/fold-{fold}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        section=lambda wildcards: template_section(wildcards)["fit"],
        fraction=lambda wildcards: training(wildcards).fraction,
        seed=split_seed,
    script:
        "../../scripts/template_prior.py"


rule template_fit:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        model=template_model,
        zero_points=template_zero_points,
        prior=template_prior,
    output:
        "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.chunk-{chunk}.hdf5",
    log:
        "<logs>/template_fit/{catalogue}/{training}/split-{split}/fold-{fold}/chunk-{chunk}.log",
    benchmark:
        "<benchmarks>/template_fit/{catalogue}/{training}/split-{split}/fold-{fold}/chunk-{chunk}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        section=lambda wildcards: template_section(wildcards)["fit"],
        n_chunks=lambda wildcards: template_section(wildcards)["jobs_per_fold"],
    script:
        "../../scripts/template_fit.py"


rule template_gather:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        parts=template_parts,
    output:
        "<results>/predictions/{catalogue}/{training}/split-{split}.hdf5",
    log:
        "<logs>/template_gather/{catalogue}/{training}/split-{split}.log",
    benchmark:
        "<benchmarks>/template_gather/{catalogue}/{training}/split-{split}.tsv"
    wildcard_constraints:
        training=r"template_fit\.[A-Za-z0-9_.-]+",
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    script:
        "../../scripts/template_gather.py"


# Ellipticals with wrong fluxes: template fit and networks (paper, appendix B).
rule outlier_test:
    input:
        survey=run["survey"],
        curves=CURVES,
    output:
        "<results>/outlier_test.parquet",
    log:
        "<logs>/outlier_test.log",
    benchmark:
        "<benchmarks>/outlier_test.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        section=section("outlier_test"),
        seed=configuration.derive_seed(run["seed"], "outlier_test"),
    script:
        "../../scripts/outlier_test.py"
