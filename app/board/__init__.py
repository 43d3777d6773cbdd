"""What people see of several domains at once: the board of a project, and the overview of all projects."""
