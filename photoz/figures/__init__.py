"""The figures of the paper and of the report: one module per figure, `style` for what they share.

Every module has a ``draw`` that takes plain arrays or a table and returns a matplotlib figure;
`photoz.figures.style.save` writes it as PDF and PNG. Nothing here touches pyplot or the
process-wide matplotlib settings.
"""
