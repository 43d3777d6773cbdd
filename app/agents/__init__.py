"""Agents: configured workers of a project."""
