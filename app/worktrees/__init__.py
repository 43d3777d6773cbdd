"""Worktrees: a checkout and a branch for each task."""
