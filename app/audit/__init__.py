"""The audit log: one row for each tool call."""
