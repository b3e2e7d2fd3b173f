"""Runs of the workflow, as those of tests/workflow."""

from tests.workflow.conftest import workflow

__all__ = ["workflow"]
