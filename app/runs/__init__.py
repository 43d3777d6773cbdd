"""Runs: one execution of an agent for one prompt."""
