"""The demo: a sample repository, tasks, and a scripted agent. What its board shows comes about as for anybody."""
