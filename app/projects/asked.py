"""What waits for a person's answer: calls that agents ask for (`app.permissions`), and limits that they have reached
(`app.budgets`). One text for every statement that asks whether something does."""

#: As a table: `path` is the page that answers, `what` follows the agent's name.
OPEN_QUESTIONS = """(
SELECT id, project_id, task_id, agent_id, run_id, session_id, line, why, asked_at, '/permissions/' || id AS path,
  'asks for a call' AS what FROM permission_requests WHERE status = 'open'
UNION ALL
SELECT id, project_id, task_id, agent_id, run_id, session_id, line,
  'It may go on with a higher limit or this once, or stop.' AS why, asked_at, '/budgets/' || id AS path,
  'has reached a limit' AS what FROM budget_alerts WHERE status = 'open'
)"""
