// Applies what the server's stream sends, and says honestly whether it arrives.
//
// A message is `id:`, `event: <kind>` and `data:` of <hx-partial> elements. hx-sse swaps messages without a name and only
// tells of the others, so the name is taken off before it looks. `event: ping` without data is the server's sign of life.
import { isInUse } from "./inuse.js";
import { place } from "./place.js";

const QUIET = 400; // ms without a message after which the backlog counts as read
const SILENCE = 45_000; // ms without a sign of life after which the line counts as dead
const RETRY = [1_000, 2_000, 4_000, 8_000]; // ms before the first connection is tried again

const stream = document.getElementById("stream");
const sign = document.getElementById("connection");
let connection = null;
let downSince = null;
let caughtUp = 0;
let quiet = 0;
let silence = 0;
let tries = 0;
let pinged = false;

let morph;
window.htmx?.registerExtension("agentpane", {
  init: (api) => {
    morph = api.morph;
  },
  htmx_before_morph_node: (element) => !isInUse(element),
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.tagName === "DETAILS"),
  handle_swap: (style, target, fragment) => style === "place" && place(target, fragment, morph),
});

if (stream && sign && window.htmx) {
  stream.addEventListener("htmx:sse:before:connection", () => downSince ?? show("catching-up", "Connecting"));
  stream.addEventListener("htmx:sse:after:connection", (event) => connected(event.detail.connection));
  stream.addEventListener("htmx:sse:before:message", received);
  stream.addEventListener("htmx:sse:after:message", () => waitForQuiet());
  for (const failure of ["htmx:sse:error", "htmx:error", "htmx:response:error"]) stream.addEventListener(failure, lost);
  stream.addEventListener("htmx:sse:close", closed);
  stream.addEventListener("htmx:before:swap", (event) => event.detail.ctx.response?.status >= 400 && event.preventDefault());
  window.addEventListener("offline", lost);
  window.addEventListener("online", () => (connection?.delayCanceller ? connection.delayCanceller() : connectLater()));
  setTimeout(connect); // after htmx has looked over the page, which it does by a timer set before this module ran
}

// The address becomes hx-sse's only now: were it in the page, the first messages could come before anyone listens here.
function connect() {
  stream.setAttribute("hx-sse:connect", stream.dataset.stream);
  htmx.process(stream);
}

function connected(next) {
  connection = next;
  downSince = null;
  caughtUp = tries = 0;
  show("catching-up", "Catching up");
  waitForQuiet();
}

function received(event) {
  const { detail } = event;
  const ping = detail.message.event === "ping";
  pinged ||= ping;
  if (pinged) silence = restart(silence, silenced, SILENCE); // only a server that pings can be missed
  if (ping) return void (detail.cancelled = true);
  detail.message.event = "";
  caughtUp += 1;
  if (sign.dataset.connection !== "live") show("catching-up", `Catching up, ${caughtUp} ${caughtUp === 1 ? "event" : "events"}`);
}

function waitForQuiet() {
  quiet = restart(quiet, () => downSince ?? show("live", "Live"), QUIET);
}

function silenced() {
  if (document.hidden) return;
  lost();
  connection?.reader?.cancel(); // ends the read, so hx-sse connects anew and resumes by number
}

function lost() {
  clearTimeout(quiet);
  clearTimeout(silence);
  downSince ??= new Date();
  show("offline", `Offline since ${downSince.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}`);
  if (!connection) connectLater();
}

function closed(event) {
  connection = null;
  if (event.detail.reason !== "removed") lost();
}

function connectLater() {
  setTimeout(() => connection ?? htmx.trigger(stream, "live:connect"), RETRY[Math.min(tries++, RETRY.length - 1)]);
}

function restart(timer, action, delay) {
  clearTimeout(timer);
  return setTimeout(action, delay);
}

function show(kind, words) {
  if (sign.dataset.connection === kind && sign.textContent === words) return;
  sign.dataset.connection = kind;
  sign.lastElementChild.textContent = words;
}
