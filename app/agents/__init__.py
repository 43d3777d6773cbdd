"""Agents: the configured workers of a project and the states they pass through."""
