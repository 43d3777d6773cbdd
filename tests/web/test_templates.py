"""Every page with much in it, with little, and with hostile text."""

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from jinja2 import UndefinedError

from app.board.cards import render_cards
from app.board.views import Overview
from app.budgets.views import PricesPage
from app.projects.views import NewProject
from app.runs.views import RunList
from app.sessions.views import SessionList
from app.web.fragments import csrf_input, finish
from app.web.templates import environment, render
from app.worktrees.views import PrunePage, WorktreeList
from tests.web import samples

AGENT_VIEW = {"defaults": samples.DEFAULTS}
NOTHING = {"project": None, "projects": (), "attention": 0}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "board": ("board/page.html", {"board": samples.board(), "render_cards": render_cards}),
    "board, empty": ("board/page.html", {"board": samples.EMPTY_BOARD, "render_cards": render_cards}),
    "board, filtered": (
        "board/page.html",
        {"board": samples.board(query="x", label="index"), "render_cards": render_cards},
    ),
    "projects": ("projects/index.html", {"overview": samples.OVERVIEW, "new_project": NewProject(), "interrupted": 2}),
    "projects, none": ("projects/index.html", {"overview": Overview(), "new_project": NewProject(), "interrupted": 0}),
    "recovery": ("system/recovery.html", {"runs": samples.INTERRUPTED}),
    "recovery, none": ("system/recovery.html", {"runs": []}),
    "new project": ("projects/new.html", {"new_project": NewProject(first=True)}),
    "new project, wrong": ("projects/new.html", {"new_project": samples.WRONG_PROJECT}),
    "settings": ("projects/settings.html", {"settings": samples.SETTINGS}),
    "settings, wrong": ("projects/settings.html", {"settings": samples.WRONG_SETTINGS}),
    "agents": ("agents/index.html", {"listed": samples.AGENTS}),
    "agents, none": ("agents/index.html", {"listed": samples.NO_AGENTS}),
    "agent": ("agents/agent.html", {"agent": samples.AGENT, **AGENT_VIEW}),
    "agent, failed": ("agents/agent.html", {"agent": samples.FAILED_AGENT, **AGENT_VIEW}),
    "configuration": ("configuration/page.html", {"configuration": samples.CONFIGURATION}),
    "configuration of a run, none": ("configuration/of_one.html", {"configuration": samples.NO_CONFIGURATION}),
    "prompt": ("configuration/prompt.html", {"prompt": samples.PROMPT}),
    "prompt, wrong": ("configuration/prompt.html", {"prompt": samples.WRONG_PROMPT}),
    "runs": ("runs/index.html", {"listed": samples.RUN_LIST}),
    "runs, none": ("runs/index.html", {"listed": RunList(project_id="p", runs=())}),
    "sessions": ("sessions/index.html", {"listed": samples.SESSIONS}),
    "sessions, none": ("sessions/index.html", {"listed": SessionList(project_id="p", sessions=())}),
    "worktrees": ("worktrees/index.html", {"listed": samples.WORKTREES}),
    "prune": ("worktrees/prune.html", {"prune": samples.PRUNE}),
    "prune, none": (
        "worktrees/prune.html",
        {"prune": PrunePage(project_id="p", stale_after_days=14, going=(), kept=())},
    ),
    "worktrees, none": ("worktrees/index.html", {"listed": WorktreeList(project_id="p", worktree_root=".worktrees")}),
    "audit": ("audit/index.html", {"listed": samples.AUDIT, "chain": samples.CHAIN}),
    **{
        f"audit, chain {name}": ("audit/index.html", {"listed": samples.AUDIT, "chain": chain})
        for name, chain in samples.CHAINS.items()
    },
    "audit chain entry": ("audit/chain_entry.html", {"entry": samples.CHAIN_ENTRY}),
    "audit entry": ("audit/entry.html", {"entry": samples.AUDIT_ENTRY}),
    "budget": ("budgets/page.html", {"budget": samples.BUDGET}),
    "budget, wrong": ("budgets/page.html", {"budget": samples.WRONG_BUDGET}),
    "limit, asks": ("budgets/question.html", {"asked": samples.AT_A_LIMIT}),
    "limit, answered": ("budgets/question.html", {"asked": samples.ANSWERED_LIMIT}),
    "prices": ("budgets/prices.html", {"prices": samples.PRICES}),
    "prices, none": ("budgets/prices.html", {"prices": PricesPage(prices=())}),
    "patterns": ("dev/patterns.html", {}),
}


def html_of(name: str) -> str:
    template, view = PAGES[name]
    return finish(render(template, page=samples.context(), **view), csrf_input("f" * 64))


VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Outline(HTMLParser):
    """What is needed to judge a page's structure."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[tuple[dict[str, str | None], list[str]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.elements.append((tag, known))
        self.ids += [known["id"]] if known.get("id") else []
        if tag == "form":
            self.forms.append((known, []))
        if tag in ("input", "select", "textarea", "button") and known.get("name") and "form" in self.open:
            self.forms[-1][1].append(str(known["name"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element at {self.getpos()}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(name: str) -> None:
    page = Outline(html_of(name))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    if name != "patterns":
        assert len(page.ids) == len(set(page.ids)), sorted(id for id in set(page.ids) if page.ids.count(id) > 1)
    assert not [attrs for _, attrs in page.elements if "style" in attrs or any(key.startswith("on") for key in attrs)]
    assert not [attrs for tag, attrs in page.elements if tag == "script" and "src" not in attrs]


@pytest.mark.parametrize("name", PAGES)
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    for form, fields in Outline(html_of(name)).forms:
        if form.get("method") == "post":
            assert "_csrf_token" in fields, form
            assert form.get("hx-post") in (None, form["action"])


@pytest.mark.parametrize("name", [name for name in PAGES if name != "patterns"])
def test_every_label_and_description_leads_to_its_element(name: str) -> None:
    page = Outline(html_of(name))
    for _, attrs in page.elements:
        for key in ("for", "aria-describedby", "aria-labelledby", "popovertarget"):
            if attrs.get(key):
                assert attrs[key] in page.ids, f'{key}="{attrs[key]}"'


@pytest.mark.parametrize("name", PAGES)
def test_every_glyph_is_in_the_sprite(name: str) -> None:
    from app.resources import resource_path

    sprite = (resource_path("static") / "icons.svg").read_text()
    for glyph in set(re.findall(r"icons\.svg#(i-[a-z_]+)", html_of(name))):
        assert f'id="{glyph}"' in sprite


def test_every_template_compiles() -> None:
    names = environment().list_templates(extensions=["html"])
    assert len(names) > 30
    for name in names:
        environment().get_template(name)


def test_a_template_that_names_what_is_not_there_fails() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing.there }}").render()


def test_what_agents_and_people_wrote_is_text() -> None:
    hostile = "</textarea><script>alert(1)</script>\"'<!--csrf-->"
    card = msgspec.structs.replace(samples.CARDS[5], title=hostile, argument=hostile, note=hostile, labels=(hostile,))
    board = samples.board((card,), query=hostile, label=hostile)
    html = finish(
        render("board/page.html", page=samples.context(person=hostile), board=board, render_cards=render_cards), "TOKEN"
    )
    assert "<script>alert" not in html
    assert html.count("TOKEN") == html.count('method="post"')


def test_wrong_fields_stand_beside_their_sentence_and_keep_their_input() -> None:
    html = html_of("new project, wrong")
    assert re.search(r'name="path" value="~/src/tideline" aria-invalid="true" aria-describedby="f-path-error"', html)
    assert re.search(r'id="f-path-error".*There is no git repository at this path', html)
    assert re.search(r'name="max_concurrent_agents" value="14"', html)


def test_the_pages_carry_the_public_marks() -> None:
    board = html_of("board")
    for stage in ("idle", "queued", "starting", "running", "needs_you", "paused", "error", "review", "done"):
        assert re.search(rf'data-task-id="\w+" data-column="\w+" data-position="\d+" data-stage="{stage}"', board), (
            stage
        )
    assert 'data-agent-status="running"' in html_of("agents")
    assert 'data-run-status="completed"' in html_of("runs")
    assert 'data-worktree-status="error"' in html_of("worktrees")
    assert 'data-session-id="sess1"' in html_of("sessions")


def test_a_page_without_a_stream_does_not_claim_to_be_live() -> None:
    view = {"board": samples.EMPTY_BOARD, "render_cards": render_cards}
    still = render("board/page.html", page=samples.context(), **view)
    live = render("board/page.html", page=samples.context(stream="/projects/p1/events?after=41"), **view)
    assert 'data-connection="still"' in still
    assert "data-stream" not in still
    assert 'data-stream="/projects/p1/events?after=41"' in live
