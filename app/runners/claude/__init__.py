"""Claude Code, driven through the Claude Agent SDK. The SDK itself is imported when a run starts: it takes a second."""

from app.runners.claude.runner import ClaudeRunner

__all__ = ["ClaudeRunner"]
