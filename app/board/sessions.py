"""What is done to a session beyond reading and writing in it: chats are opened, closed, and handed in as a task."""

from typing import Any

from litestar import Controller, Request, Response, post

from app.accounts.people import Person
from app.agents.controllers import agent_again
from app.agents.rows import get_agent
from app.errors import Invalid
from app.runs.chatting import close_chat, open_chat, turn_into_task
from app.sessions.controllers import session_again
from app.sessions.forms import Message
from app.sessions.opening import close
from app.sessions.rows import get_session
from app.sessions.standalone import standalone
from app.tasks.forms import NewTask
from app.web.forms import entered, form_items, parse_form
from app.web.replies import after_change


class SessionActionsController(Controller):
    """`/agents/{id}/sessions` and `/sessions/{id}/…`."""

    @post("/agents/{agent_id:str}/sessions")
    async def open(self, request: Request[Any, Any, Any], agent_id: str, person: Person) -> Response[Any]:
        """Begin a chat with a conversational agent."""
        agent, items = await get_agent(agent_id), await form_items(request)
        try:
            session = await open_chat(agent.id, parse_form(Message, items).text, person.actor)
        except Invalid as wrong:
            return await agent_again(request, agent, chat_form=entered(items, wrong))
        return after_change(request, f"/sessions/{session.id}")

    @post("/sessions/{session_id:str}/close")
    async def close(self, request: Request[Any, Any, Any], session_id: str, person: Person) -> Response[Any]:
        """End a session by hand; a chat's worktree goes with it, its branch stays."""
        session = await get_session(session_id)
        if await standalone(session.id):
            await close_chat(session.id, person.actor)
        else:
            await close(session.id, person.actor)
        return after_change(request, f"/sessions/{session_id}")

    @post("/sessions/{session_id:str}/task")
    async def hand_in(self, request: Request[Any, Any, Any], session_id: str, person: Person) -> Response[Any]:
        """Make a task of a chat's changes, which waits for approval."""
        session, items = await get_session(session_id), await form_items(request)
        try:
            task = await turn_into_task(session.id, parse_form(NewTask, items), person.actor)
        except Invalid as wrong:
            return await session_again(request, session, person, hand_in=entered(items, wrong))
        return after_change(request, f"/tasks/{task.id}/review")
