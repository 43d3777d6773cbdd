"""Measurements: each module is a script, `python -m bench.board`. What they found is in docs/performance.md."""
