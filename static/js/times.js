// Times go on while the page is open, and are told in the reader's zone. The words are those of app/web/formats.py.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "long" });

function ago(then, now) {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  for (const [limit, unit, word] of [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [604800, 86400, "d"]])
    if (seconds < limit) return `${Math.floor(seconds / unit)} ${word}`;
  return (then.getFullYear() === now.getFullYear() ? day : dayOfYear).format(then);
}

function elapsed(then, now) {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function tick() {
  if (document.hidden) return;
  const now = new Date();
  for (const time of document.querySelectorAll("time[data-ago], time[data-elapsed], time[data-clock]:not([data-local])")) {
    const then = new Date(time.dateTime);
    const words = "ago" in time.dataset ? ago(then, now) : "elapsed" in time.dataset ? elapsed(then, now) : clock.format(then);
    if (time.textContent !== words) time.textContent = words;
    if ("local" in time.dataset) continue;
    time.title = exact.format(then);
    time.dataset.local = "";
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
