# Experiments on exposures (paper, section 5 and appendix F): networks that read them one by one,
# coadds of some of them at test time, and p(z) of more and more networks averaged.


# Every exposure as a band of its own, for networks that read single exposures.
rule exposure_layout:
    input:
        "<results>/catalogues/{catalogue}.h5",
    output:
        "<results>/catalogues/{catalogue}.exposures-{present}.h5",
    log:
        "<logs>/exposure_layout/{catalogue}/{present}.log",
    benchmark:
        "<benchmarks>/exposure_layout/{catalogue}/{present}.tsv"
    wildcard_constraints:
        present=r"[0-9.]+",
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        seed=seed("exposure_layout"),
    script:
        "../../scripts/exposure_layout.py"


# How much redshifts depend on the order of the exposures (Fig. F1).
rule exposure_orders:
    input:
        catalogue=laid_out_exposures,
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        networks=first_networks,
    output:
        "<results>/exposure_orders/{catalogue}/{variant}.parquet",
    log:
        "<logs>/exposure_orders/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/exposure_orders/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        orders=run["test_time"]["orders"],
        # The same orders for all networks.
        seed=lambda wildcards: configuration.derive_seed(
            run["seed"], "exposure_orders", wildcards.catalogue
        ),
    script:
        "../../scripts/exposure_orders.py"


# p(z) of random coadds at test time: their mean, and their variation as a quality (section 6.2).
rule random_coadds:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        networks=first_networks,
    output:
        galaxies="<results>/test_time/{catalogue}/{variant}.parquet",
        curves="<results>/test_time/{catalogue}/{variant}.curves.parquet",
        table=report(
            "<results>/tables/test_time-{catalogue}-{variant}.csv",
            caption="../report/test_time.rst",
            category="Tables",
            labels={"table": "random coadds at test time, {catalogue}"},
        ),
    log:
        "<logs>/random_coadds/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/random_coadds/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        draws=run["test_time"]["draws"],
        alpha=run["test_time"]["alpha"],
        odds_width=run["evaluation"]["odds_width"],
        n_boot=run["evaluation"]["n_boot"],
        seed=seed("random_coadds"),
    script:
        "../../scripts/random_coadds.py"


# p(z) of coadds that lack one exposure, for one galaxy (Fig. 7), and how far they move for many.
rule leave_one_out:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        splits="<results>/catalogues/{catalogue}.splits.parquet",
        networks=first_networks,
    output:
        pdf="<results>/leave_one_out/{catalogue}/{variant}.hdf5",
        galaxies="<results>/leave_one_out/{catalogue}/{variant}.parquet",
    log:
        "<logs>/leave_one_out/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/leave_one_out/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        galaxies=run["test_time"]["galaxies"],
    script:
        "../../scripts/leave_one_out.py"


# Scatter against the number of splits whose p(z) are averaged (section 5.2).
rule members:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        predictions=split_predictions,
    output:
        members="<results>/evaluation/{catalogue}/{variant}.members.parquet",
        table=report(
            "<results>/tables/members-{catalogue}-{variant}.csv",
            caption="../report/members.rst",
            category="Tables",
            labels={"table": "number of networks, {variant} on {catalogue}"},
        ),
    log:
        "<logs>/members/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/members/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        n_boot=run["evaluation"]["n_boot"],
        # That of the other metrics: the same galaxies are drawn in every bootstrap.
        seed=lambda wildcards: configuration.derive_seed(
            run["seed"], "evaluate", wildcards.catalogue
        ),
    script:
        "../../scripts/members.py"
