// The session page follows the newest event until its reader scrolls up, and tells how many came since.
const events = document.querySelector("#events");
const drafts = document.querySelector("#drafts");
const unseen = document.querySelector("#newest [data-unseen]");
const live = document.querySelector("#drafts ~ #composer form") !== null;

// The record ends above the composer; on a phone the side pane comes after both.
const end = document.querySelector("#end");
const below = () => end.getBoundingClientRect().top - innerHeight + document.querySelector("#composer").offsetHeight;
const atEnd = () => below() < 48 && (below() > -48 || scrollY === 0);
const toEnd = () => scrollBy({ top: below(), behavior: "instant" });

let following = live && !location.hash && !location.search;
let missed = 0;

function tell(count) {
  missed = count;
  unseen.hidden = count === 0;
  unseen.textContent = count === 0 ? "" : `${count} new`;
}

function arrived(records) {
  const added = records.flatMap((record) => [...record.addedNodes]).filter((node) => node.nodeType === 1);
  if (following) toEnd();
  else tell(missed + added.filter((node) => node.matches(".event:not([data-draft])")).length);
}

if (events && drafts) {
  const watch = new MutationObserver(arrived);
  watch.observe(events, { childList: true, subtree: true });
  watch.observe(drafts, { childList: true });
  addEventListener("scroll", () => {
    following = atEnd();
    if (following) tell(0);
  }, { passive: true });
  document.querySelector("#newest").addEventListener("click", (click) => {
    if (new URL(click.currentTarget.href).pathname + new URL(click.currentTarget.href).search !== location.pathname + location.search) return;
    click.preventDefault();
    following = true;
    tell(0);
    toEnd();
  });
  if (following) toEnd();
}
