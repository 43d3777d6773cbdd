// Forms: busy while they are on their way, sent by Ctrl+Enter, tidy when they have arrived.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (event.target.method === "post" && event.submitter) setTimeout(() => busy(event.submitter, true));
});
window.addEventListener("pageshow", () => document.querySelectorAll("[aria-busy=true]").forEach((button) => busy(button, false)));

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".notice")?.remove());

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  ctx.request?.form?.querySelectorAll("[aria-busy=true]").forEach((button) => busy(button, false));
});

// Before the answer is put in, so that a form that has done its work no longer counts as held in hand.
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const form = ctx.request?.form;
  if (!form || ctx.request.method === "GET" || !(ctx.response?.status < 400)) return;
  const kept = form.contains(document.activeElement) && form.querySelector("[required]");
  form.reset();
  form.closest("[popover]")?.hidePopover();
  form.closest("details.menu__confirm")?.removeAttribute("open");
  document.getElementById("replies")?.replaceChildren();
  if (kept) kept.focus();
});

document.addEventListener("htmx:error", ({ target, detail }) => {
  if (target.id !== "stream" && detail.ctx) say("The server cannot be reached", "Nothing was changed. Try again when it is back.");
});

/** A notice in the region that screen readers follow. */
export function say(title, sentence) {
  const notice = document.createElement("div");
  notice.className = "notice notice--fail";
  const body = notice.appendChild(document.createElement("div"));
  body.appendChild(document.createElement("strong")).textContent = title;
  body.appendChild(document.createElement("p")).textContent = sentence;
  document.getElementById("replies")?.replaceChildren(notice);
}

function busy(button, is) {
  button.toggleAttribute("disabled", is);
  is ? button.setAttribute("aria-busy", "true") : button.removeAttribute("aria-busy");
}
