"""Try an agent: one line in a scratch worktree, without a task, a session, a row or a number that counts it."""
