// The swap style `place`: puts a card into a column at its position, whether it is new, was there, or comes from another.

export function place(list, fragment, morph) {
  const incoming = fragment.firstElementChild;
  const present = document.getElementById(incoming.id);
  const from = present?.parentElement;
  const filtered = list.closest("[data-filtered]");
  if (!present && filtered) return [];
  const position = Number(incoming.dataset.position);
  if (present) morph(present, fragment, false);
  const card = present ?? incoming;
  moveInto(list, card, slot(list, card, position, filtered));
  if (!filtered) new Set([list, from ?? list]).forEach(renumber);
  return [card];
}

/** The cards of a list in order, without the one that is being placed. */
export function others(list, card) {
  return [...list.children].filter((each) => each !== card && each.matches("[data-task-id]"));
}

export function moveInto(list, card, before) {
  if (card.parentElement === list && card.nextElementSibling === before) return;
  if (card.isConnected && list.moveBefore) list.moveBefore(card, before); // keeps focus and open menus
  else list.insertBefore(card, before);
}

export function renumber(list) {
  [...list.children].forEach((card, index) => {
    card.dataset.position = index;
    const field = card.querySelector("input[name=position]");
    if (field && field.value === field.defaultValue) field.value = field.defaultValue = index;
  });
}

function slot(list, card, position, filtered) {
  const cards = others(list, card);
  return (filtered ? cards.find((each) => Number(each.dataset.position) >= position) : cards[position]) ?? null;
}
