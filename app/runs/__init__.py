"""Runs: the queue, the engine that drives agents, and the one writer of what they say and do."""
