"""What agents ask, in the lists of what needs a person. It stands first: an agent waits for it."""

from app.board.views import AttentionItem
from app.permissions.queries import OpenQuestion


def asked_items(questions: list[OpenQuestion], project_name: str = "") -> list[AttentionItem]:
    """One entry for each question, oldest first."""
    return [
        AttentionItem(
            stage="needs_you",
            title=question.title,
            href=question.path,
            lead=f"{question.agent_name} {question.what}",
            detail="",
            code=question.line,
            since=question.asked_at,
            project_name=project_name,
            action="Answer",
        )
        for question in questions
    ]
