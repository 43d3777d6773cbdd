"""What a person does in the browser, with JavaScript or without: the same forms and links either way."""

import asyncio
import time
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

#: Seconds until something that an agent does has to be on the page.
PATIENCE_S = 30.0
_AGAIN_S = 0.2


class Person:
    """One person with one browser window."""

    def __init__(self, page: Page, url: str, has_script: bool) -> None:
        self.page = page
        self.url = url
        self.has_script = has_script

    @classmethod
    async def before(cls, context: BrowserContext, url: str, has_script: bool = True) -> "Person":
        """A person who has not opened anything yet."""
        return cls(await context.new_page(), url, has_script)

    async def open(self, path: str) -> None:
        """Go to an address of ours."""
        await self.page.goto(self.url + path)

    async def sees(self, selector: str) -> Locator:
        """Wait until the page shows `selector`: by itself with JavaScript, by asking again without."""
        found = self.page.locator(selector).first
        if self.has_script:
            try:
                await found.wait_for(state="attached", timeout=PATIENCE_S * 1000)
            except PlaywrightTimeout as late:
                text = await self.page.locator("body").inner_text()
                raise AssertionError(f"{selector} never came to {self.page.url}:\n{text}") from late
            return found
        deadline = time.monotonic() + PATIENCE_S
        while not await found.count():
            assert time.monotonic() < deadline, f"{selector} never came\n{await self.page.content()}"
            await asyncio.sleep(_AGAIN_S)
            await self.page.reload()
        return found

    async def adds_project(self, path: Path, page: str = "/") -> str:
        """From the first-run page, or the one named, to the board; the project's id."""
        await self.open(page)
        form = self.page.locator('form[action="/projects"]').first
        await form.locator('[name="path"]').fill(str(path))
        await self._sends(form)
        await self.page.wait_for_url("**/projects/*")
        return self.page.url.rsplit("/", 1)[1].partition("#")[0]

    async def adds_agent(self, project: str, name: str, runner: str, command: str = "", kind: str = "task") -> None:
        """On the page of agents."""
        await self.open(f"/projects/{project}/agents")
        form = self.page.locator(f'form[action="/projects/{project}/agents"]')
        await _unfold(form)
        await form.locator('[name="name"]').fill(name)
        await form.locator('select[name="type"]').select_option(kind)
        chooser = form.locator('select[name="runner"]')
        if await chooser.count():
            await chooser.select_option(runner)
        else:
            await form.locator(f'[name="runner"][value="{runner}"]').check()
        if command:
            await form.locator('[name="command"]').fill(command)
        await self._sends(form)
        await self.sees(f'text="{name}"')

    async def adds_task(self, project: str, title: str, description: str) -> str:
        """From the form at the top of Backlog; the task's id."""
        await self.open(f"/projects/{project}")
        form = self.page.locator(f'form[action="/projects/{project}/tasks"]')
        await _unfold(form)
        await form.locator('[name="title"]').fill(title)
        await form.locator('[name="description"]').fill(description)
        await form.locator("button.btn--primary").click()
        card = await self.sees(f'[data-column="backlog"] [data-task-id]:has-text("{title}")')
        return await card.get_attribute("data-task-id") or ""

    async def starts(self, task: str) -> None:
        """The Start button of a card in Backlog."""
        await self.page.locator(f'[data-task-id="{task}"] form:has([value="in_progress"]) button').first.click()
        await self.sees(f'[data-task-id="{task}"][data-column="in_progress"]')

    async def rejects(self, task: str, reason: str) -> None:
        """Request changes on the review page."""
        await self.open(f"/tasks/{task}/review")
        form = self.page.locator("#reject form")
        await _unfold(form)
        await form.locator('[name="reason"]').fill(reason)
        await self._sends(form)

    async def approves(self, task: str, name: str) -> None:
        """Approve and merge on the review page."""
        await self.open(f"/tasks/{task}/review")
        form = self.page.locator("#approve form")
        await _unfold(form)
        await form.locator('[name="approved_by"]').fill(name)
        await form.locator("button.btn--approve").click()
        await self.page.wait_for_url(f"**/tasks/{task}")

    async def _sends(self, form: Locator) -> None:
        await form.locator("button.btn--primary").first.click()


async def _unfold(form: Locator) -> None:
    """Open the `details` that a form may be folded in."""
    fold = form.locator("xpath=ancestor::details[1]")
    if await fold.count() and await fold.get_attribute("open") is None:
        await fold.locator("summary").first.click()
