"""Who needs a worktree: one rule, as SQL over `worktrees w`, for what may be removed and what may be pruned."""

from app.postgres.reading import scalar

#: The beginning of a sentence: the task, or the open session without one, that needs it; null where none does.
NEEDED_BY = """coalesce(
  (SELECT format('The task ''%s''', u.title) FROM tasks u
    WHERE u.worktree_id = w.id AND u."column" IN ('in_progress', 'waiting_approval') LIMIT 1),
  (SELECT format('The session ''%s''', s.title) FROM standalone_sessions o JOIN sessions s ON s.id = o.session_id
    WHERE o.worktree_id = w.id AND s.is_active LIMIT 1))"""

#: The session whose runs were made in it, newest first.
SESSION = """(SELECT s.id FROM sessions s LEFT JOIN standalone_sessions o ON o.session_id = s.id
  LEFT JOIN tasks u ON u.session_id = s.id
  WHERE o.worktree_id = w.id OR u.worktree_id = w.id ORDER BY s.created_at DESC LIMIT 1)"""

#: When a run last began or ended in it, or it was made.
LAST_USED_AT = f"""greatest(w.created_at, (SELECT max(coalesce(r.completed_at, r.started_at)) FROM agent_runs r
  WHERE r.task_id = w.task_id OR r.session_id = {SESSION}))"""  # noqa: S608


async def needed_by(worktree_id: str) -> str | None:
    """What needs the worktree, as the beginning of a sentence; None where nothing does."""
    found = await scalar(f"SELECT {NEEDED_BY} FROM worktrees w WHERE w.id = $1", worktree_id)  # noqa: S608
    return str(found) if found else None
