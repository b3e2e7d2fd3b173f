# The entry: `snakemake --cores 2` in this folder runs the workflow below with its default target.
include: "workflow/Snakefile"


# Without this an including file has no target of its own, and an empty run "succeeds".
workflow.default_target = "all"
