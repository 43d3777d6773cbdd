"""From the words of a project and its repository to what an agent is told, and may."""

import json
from pathlib import Path

import msgspec
from litestar import Litestar

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.projects.rows import Prompts
from app.reviews.rejecting import reject
from app.reviews.resolving import send_back_with_conflict
from app.runs.configured import kept_of
from tests.git.repositories import commit
from tests.runners.test_acp import AGENT as ACP_AGENT
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

#: Writes down what it was asked, and changes the one file that there is.
NOTES = 'cat > "asked-$AGENTPANE_ATTEMPT.txt"; echo "mine $AGENTPANE_ATTEMPT" > README.md'
