# Galaxies with spectroscopic redshifts, and their division into training and test galaxies.


rule observe:
    input:
        survey=run["survey"],
        curves=CURVES,
        file=catalogue_file,
        exposures=exposure_tables,
    output:
        "<results>/catalogues/{catalogue}.h5",
    log:
        "<logs>/observe/{catalogue}.log",
    benchmark:
        "<benchmarks>/observe/{catalogue}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        section=section("catalogues", "catalogue"),
        seed=seed("observe"),
    script:
        "../../scripts/observe.py"


rule splits:
    input:
        "<results>/catalogues/{catalogue}.h5",
    output:
        "<results>/catalogues/{catalogue}.splits.parquet",
    log:
        "<logs>/splits/{catalogue}.log",
    benchmark:
        "<benchmarks>/splits/{catalogue}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        section=section("splits"),
        seed=seed("splits"),
    script:
        "../../scripts/splits.py"
