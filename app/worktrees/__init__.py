"""Worktrees: one git worktree and branch per task, made in recorded steps, removed without losing work."""
