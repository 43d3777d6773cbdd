"""Random lives: commands, agents, users and crashes in any order, against the real server, database and git.

A server of one life (`server.py`) is forked from a process that has read the application once (`nursery.py`), and is
ended by SIGKILL wherever it stands. Its agents are puppets (`puppets.py`): what they say comes from the test; what they
write, the test writes into their worktrees as another process would. The ledger (`ledger.py`) knows every text that a
user or an agent wrote, and finds it again after each step.
"""
