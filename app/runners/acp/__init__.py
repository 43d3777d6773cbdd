"""Any program that speaks the Agent Client Protocol. Its library is imported when a run starts: it takes a second."""

from app.runners.acp.runner import AcpRunner

__all__ = ["AcpRunner"]
