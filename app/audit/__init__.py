"""The audit log: one row per tool call."""
