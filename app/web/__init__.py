"""The web as a tool: Jinja environment, replies for htmx and for plain forms, errors, security headers, assets."""
