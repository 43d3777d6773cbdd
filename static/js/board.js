// The board: N writes a card, a pointer drags one. The keyboard's way to move a card is its menu.
import { moveInto, others } from "./place.js";

const board = document.getElementById("board");
let dragged = null;
let origin = null;
let mark = null;

if (board) {
  document.addEventListener("keydown", addCard);
  board.addEventListener("pointerdown", makeDraggable);
  board.addEventListener("dragstart", start);
  board.addEventListener("dragover", over);
  board.addEventListener("drop", drop);
  board.addEventListener("dragend", end);
  showWorkFirst();
}

/** On a phone one column is in sight: begin with what is at work, where the browser does not do so by itself. */
function showWorkFirst() {
  const working = document.getElementById("in_progress");
  const phone = board.scrollWidth > 2 * board.clientWidth;
  if (phone && !location.hash && working?.querySelector("[data-task-id]"))
    board.scrollTo({ left: working.offsetLeft - board.offsetLeft, behavior: "instant" });
}

function addCard(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], [popover]");
  if (event.key.toLowerCase() !== "n" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const form = document.getElementById("add-card");
  if (!form) return;
  event.preventDefault();
  form.open = true;
  form.querySelector("[name=title]").focus();
}

function makeDraggable(event) {
  const card = event.target.closest("[data-task-id]");
  if (!card || event.pointerType === "touch") return;
  card.draggable = !event.target.closest("[popover], button, input, select, textarea");
  event.target.closest("a")?.setAttribute("draggable", "false");
}

function start(event) {
  dragged = event.target.closest?.("[data-task-id]");
  if (!dragged) return;
  origin = { list: dragged.parentElement, before: dragged.nextElementSibling };
  mark = document.createElement("div");
  mark.className = "column__drop";
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.querySelector(".card__title")?.textContent.trim() ?? "");
  setTimeout(() => dragged?.setAttribute("data-ghost", ""));
}

function over(event) {
  const column = dragged && event.target.closest("[data-column].column");
  if (!column) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  highlight(column);
  const list = column.querySelector(".column__list");
  const before = others(list, dragged).find((card) => middle(card) > event.clientY) ?? null;
  if (mark.parentElement !== list || mark.nextElementSibling !== before) list.insertBefore(mark, before);
}

async function drop(event) {
  const list = dragged && mark?.parentElement;
  if (!list) return;
  event.preventDefault();
  const [card, from, before] = [dragged, origin, following(mark, dragged)];
  mark.remove();
  if (list === from.list && before === following(card, card)) return;
  const position = positionBefore(list, card, before);
  moveInto(list, card, before);
  if (!(await moved(card, list.closest(".column").dataset.column, position)))
    moveInto(from.list, card, from.before?.parentElement === from.list ? from.before : null);
}

/** Whether the server took the move; where it did not, its answer says why in the region of replies. */
async function moved(card, column, position) {
  let taken = true;
  const refused = () => (taken = false);
  const errors = ["htmx:response:error", "htmx:error"];
  errors.forEach((name) => card.addEventListener(name, refused));
  await htmx.ajax("POST", `/tasks/${card.dataset.taskId}/move`, { source: card, values: { column, position } });
  errors.forEach((name) => card.removeEventListener(name, refused));
  return taken;
}

/** Positions count all cards of the column, also those that a filter hides. */
function positionBefore(list, card, before) {
  const rank = (each) => Number(each.dataset.position);
  const last = others(list, card).at(-1);
  const wanted = before ? rank(before) : last ? rank(last) + 1 : 0;
  return card.parentElement === list && rank(card) < wanted ? wanted - 1 : wanted;
}

function end() {
  dragged?.removeAttribute("data-ghost");
  dragged?.removeAttribute("draggable");
  mark?.remove();
  highlight(null);
  dragged = origin = mark = null;
}

function highlight(column) {
  for (const each of board.querySelectorAll("[data-over]")) if (each !== column) each.removeAttribute("data-over");
  column?.setAttribute("data-over", "");
}

function following(element, skipped) {
  let next = element.nextElementSibling;
  while (next && (next === skipped || !next.matches("[data-task-id]"))) next = next.nextElementSibling;
  return next;
}

function middle(card) {
  const box = card.getBoundingClientRect();
  return box.top + box.height / 2;
}
