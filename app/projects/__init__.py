"""Projects: one git repository each, with its configuration."""
