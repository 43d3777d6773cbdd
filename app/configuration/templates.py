"""Templates of prompts: text with `{{task.title}}` in it, and nothing else that means anything.

No conditions, no loops, no calls. A value is put in as it is and never looked at again, so nothing that an agent or a
task says can name a variable.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from app.configuration.sources import TemplateName

#: Characters of a template.
MOST = 20_000

_TASK = {
    "task.title": "The title of the card",
    "task.description": "Its description, in Markdown; empty where there is none",
    "task.labels": "Its labels, with commas between them",
    "task.id": "Its id",
    "task.branch": "The branch on which the agent works",
    "task.attempt": "1 for the first run, and one more after each rejection",
    "project.name": "The project",
    "project.base_branch": "The branch into which the work is merged",
    "agent.name": "The agent that does it",
}
_REJECTION = {
    "rejection.reason": "What the person wrote",
    "rejection.person": "Who it was",
}
_CONFLICT = {
    "conflict.base": "The base branch and its commit",
    "conflict.details": "Which files conflict and how, in whole sentences",
    "conflict.files": "The files with conflict marks, one a line",
    "conflict.unresolved": "The files that were committed with a conflict left in them, one a line",
    "conflict.person": "Who sent it back",
}
#: The variables of each template, with what they stand for.
VARIABLES: dict[TemplateName, dict[str, str]] = {
    "task": _TASK,
    "rejection": _REJECTION | _TASK,
    "conflict": _CONFLICT | _TASK,
}
#: One of these must be in it: what a person wrote, and what an agent is to do, is never left out.
NEEDED: dict[TemplateName, tuple[str, ...]] = {
    "task": ("task.title", "task.description"),
    "rejection": ("rejection.reason",),
    "conflict": ("conflict.details", "conflict.files"),
}
DEFAULTS: Mapping[str, str] = {
    "task": "{{task.title}}\n\n{{task.description}}",
    "rejection": "A person reviewed your work and asks for changes:\n\n{{rejection.reason}}",
    "conflict": (
        "A person wants to merge your work, but {{conflict.base}} has changed meanwhile and conflicts with it.\n\n"
        "{{conflict.details}}\n\n"
        "Resolve each of them so that what both sides meant is kept, and leave no line with <<<<<<<, ======= or "
        ">>>>>>> behind. Then `git add` the files and commit, which ends an open merge. Do not abort it."
    ),
}

_MARK = re.compile(r"\\\{\{|\{\{([^{}\n]*)\}\}|\{\{")


class TemplateRefused(ValueError):
    """A text that is no template; the message says what is wrong, and in which line."""


def check(name: TemplateName, text: str) -> None:
    """`TemplateRefused` with a sentence for each thing that is wrong."""
    wrong = [sentence for number, line in enumerate(text.split("\n"), 1) for sentence in _wrong_in(name, number, line)]
    if len(text) > MOST:
        wrong.insert(0, f"Use at most {MOST:,} characters; this has {len(text):,}.")
    if not wrong and not any(f"{{{{{each}}}}}" in _without_blanks(text) for each in NEEDED[name]):
        wrong.append(f"{' or '.join(f'{{{{{each}}}}}' for each in NEEDED[name])} must be in it.")
    if wrong:
        raise TemplateRefused(" ".join(wrong[:10]))


def render(text: str, values: Mapping[str, str]) -> str:
    """The template with its values. A line that has only empty variables is left out, with a blank line beside it."""
    lines: list[str] = []
    for line in text.split("\n"):
        said = _MARK.sub(lambda found: _put(found, values), line)
        left_out = not said.strip() and bool(line.strip())
        if left_out and lines and not lines[-1].strip():
            lines.pop()
        if not left_out:
            lines.append(said)
    return "\n".join(lines).strip()


def _put(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found[1] is None:
        return "{{"
    return values.get(found[1].strip(), "")


def _without_blanks(text: str) -> str:
    return _MARK.sub(lambda found: f"{{{{{found[1].strip()}}}}}" if found[1] is not None else "", text)


def _wrong_in(name: TemplateName, number: int, line: str) -> list[str]:
    sentences = []
    for found in _MARK.finditer(line):
        if found[0] == "{{":
            sentences.append(f"Line {number}: {{{{ is not closed. Write \\{{{{ for the braces themselves.")
        elif found[1] is not None and found[1].strip() not in VARIABLES[name]:
            sentences.append(f"Line {number}: {_unknown(name, found[1].strip())}")
    return sentences


def _unknown(name: TemplateName, variable: str) -> str:
    elsewhere = next((other for other, known in VARIABLES.items() if variable in known), None)
    if elsewhere:
        return f"{{{{{variable}}}}} is there in the prompt of a {elsewhere} only."
    near = get_close_matches(variable, VARIABLES[name], 1)
    return f"there is no {{{{{variable[:60]}}}}}." + (f" Is it {{{{{near[0]}}}}}?" if near else "")
