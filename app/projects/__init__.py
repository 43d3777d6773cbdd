"""Projects: one git repository on this machine, its configuration, its board."""
