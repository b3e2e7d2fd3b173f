# From the p(z) of every split to ensembles, metrics, tables and the results page.


rule ensemble:
    input:
        catalogue="<results>/catalogues/{catalogue}.h5",
        predictions=split_predictions,
    output:
        pdf="<results>/photoz/{catalogue}/{variant}.hdf5",
        table="<results>/photoz/{catalogue}/{variant}.parquet",
        # Every split alone, one below the other, to see what averaging does (paper, Fig. 8).
        single="<results>/photoz/{catalogue}/{variant}.single.parquet",
    log:
        "<logs>/ensemble/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/ensemble/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        odds_width=run["evaluation"]["odds_width"],
    script:
        "../../scripts/ensemble.py"


rule evaluate:
    input:
        pdf="<results>/photoz/{catalogue}/{variant}.hdf5",
        table="<results>/photoz/{catalogue}/{variant}.parquet",
        single="<results>/photoz/{catalogue}/{variant}.single.parquet",
    output:
        metrics="<results>/evaluation/{catalogue}/{variant}.parquet",
        completeness="<results>/evaluation/{catalogue}/{variant}.completeness.parquet",
        calibration="<results>/evaluation/{catalogue}/{variant}.calibration.parquet",
    log:
        "<logs>/evaluate/{catalogue}/{variant}.log",
    benchmark:
        "<benchmarks>/evaluate/{catalogue}/{variant}.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        section=lambda wildcards: {
            key: run["evaluation"][key]
            for key in ("magnitude_edges", "redshift_edges", "n_boot")
        },
        # One seed for all variants: the same galaxies are drawn in every bootstrap.
        seed=lambda wildcards: configuration.derive_seed(
            run["seed"], "evaluate", wildcards.catalogue
        ),
    script:
        "../../scripts/evaluate.py"


rule compare:
    input:
        tables=evaluated("<results>/photoz/{catalogue}/{variant}.parquet"),
        singles=evaluated("<results>/photoz/{catalogue}/{variant}.single.parquet"),
    output:
        "<results>/evaluation/comparisons.parquet",
    log:
        "<logs>/compare.log",
    benchmark:
        "<benchmarks>/compare.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        evaluated=stages.evaluated(run),
        pairs=stages.comparisons(run),
        contrasts=run["evaluation"]["contrasts"],
        n_boot=run["evaluation"]["n_boot"],
        seed=configuration.derive_seed(run["seed"], "compare"),
    script:
        "../../scripts/compare.py"


# By the number of galaxies at nearly the same redshift (paper, section 3.4 and Fig. 3).
rule crowding:
    input:
        tables=evaluated("<results>/photoz/{catalogue}/{variant}.parquet"),
    output:
        metrics="<results>/evaluation/crowding.parquet",
        table=report(
            "<results>/tables/crowding.csv",
            caption="../report/crowding.rst",
            category="Tables",
            labels={"table": "crowding"},
        ),
    log:
        "<logs>/crowding.log",
    benchmark:
        "<benchmarks>/crowding.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        evaluated=stages.evaluated(run),
        n_boot=run["evaluation"]["n_boot"],
        seed=configuration.derive_seed(run["seed"], "crowding"),
    script:
        "../../scripts/crowding.py"


# The paper's conclusions on the catalogues that imitate its survey.
rule conclusions:
    input:
        tables=fill("<results>/photoz/{catalogue}/{variant}.parquet", IN_PAPER),
        singles=fill("<results>/photoz/{catalogue}/{variant}.single.parquet", IN_PAPER),
        variations=fill(
            "<results>/test_time/{catalogue}/{variant}.parquet",
            [VARIED[pair] for pair in VARIED_IN_PAPER],
        ),
    output:
        report(
            "<results>/tables/conclusions.csv",
            caption="../report/conclusions.rst",
            category="Results",
        ),
    log:
        "<logs>/conclusions.log",
    benchmark:
        "<benchmarks>/conclusions.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        evaluated=IN_PAPER,
        varied=VARIED_IN_PAPER,
        n_boot=run["evaluation"]["n_boot"],
        seed=configuration.derive_seed(run["seed"], "conclusions"),
    script:
        "../../scripts/conclusions.py"


rule tables:
    input:
        metrics=evaluated("<results>/evaluation/{catalogue}/{variant}.parquet"),
        calibration=evaluated(
            "<results>/evaluation/{catalogue}/{variant}.calibration.parquet"
        ),
        completeness=evaluated(
            "<results>/evaluation/{catalogue}/{variant}.completeness.parquet"
        ),
        comparisons="<results>/evaluation/comparisons.parquet",
    output:
        metrics=report(
            "<results>/tables/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "metrics"},
        ),
        calibration=report(
            "<results>/tables/calibration.csv",
            caption="../report/calibration.rst",
            category="Tables",
            labels={"table": "calibration"},
        ),
        completeness=report(
            "<results>/tables/completeness.csv",
            caption="../report/completeness.rst",
            category="Tables",
            labels={"table": "completeness"},
        ),
        comparisons=report(
            "<results>/tables/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Tables",
            labels={"table": "comparisons"},
        ),
    log:
        "<logs>/tables.log",
    benchmark:
        "<benchmarks>/tables.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    script:
        "../../scripts/tables.py"


# What made the results: every job behind them, figures included (their rules come later).
rule results_page:
    input:
        metrics="<results>/tables/metrics.csv",
        calibration="<results>/tables/calibration.csv",
        completeness="<results>/tables/completeness.csv",
        comparisons="<results>/tables/comparisons.csv",
        conclusions="<results>/tables/conclusions.csv",
        table1="<results>/tables/table1.csv",
        figures=lambda wildcards: expand(
            "<results>/figures/{figure}.png", figure=FIGURES
        ),
    output:
        report(
            "<results>/results.md",
            caption="../report/results.rst",
            category="Results",
        ),
    log:
        "<logs>/results_page.log",
    benchmark:
        "<benchmarks>/results_page.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        name=run["name"],
        command=lambda wildcards: COMMAND,
        # Snakemake does not look inside photoz/: this makes the page again where that changed.
        code=lambda wildcards: provenance.package_code(),
        jobs=jobs_behind,
        paper=run["evaluation"]["paper"],
        logs=f"{RESULTS}/logs",
        benchmarks=f"{RESULTS}/benchmarks",
        mixed_code=run["mixed_code"],
        notes=stages.reading_notes(run),
    script:
        "../../scripts/results_page.py"


# The same in one file that opens anywhere, with the figures, their captions and the configuration.
rule report_page:
    input:
        page="<results>/results.md",
        figures=lambda wildcards: expand(
            "<results>/figures/{figure}.png", figure=FIGURES
        ),
    output:
        "<results>/report.html",
    log:
        "<logs>/report_page.log",
    benchmark:
        "<benchmarks>/report_page.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        name=run["name"],
        captions=captions,
        given=dict(config),
        resolved=run,
    script:
        "../../scripts/report_page.py"


# The documentation's results, from the pages of the runs that `publish` names: a run of another
# configuration has to be there already.
rule publish:
    input:
        published,
    output:
        page="docs/<page>.md",
        images=directory("docs/images/<page>"),
    log:
        "<logs>/publish.log",
    benchmark:
        "<benchmarks>/publish.tsv"
    conda:
        CPU
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    script:
        "../../scripts/publish.py"
