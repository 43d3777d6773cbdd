// What a reader holds in hand: an update from the server may change everything around it, but not it.

const EDITABLE = "input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

export function isInUse(element) {
  if (!(element instanceof Element)) return false;
  if (element.matches("[popover]:popover-open")) return true;
  if (element === document.activeElement) return element.matches(EDITABLE);
  return element.tagName === "FORM" && (holdsFocus(element) || [...element.elements].some(isChanged));
}

function holdsFocus(form) {
  return form.contains(document.activeElement) && document.activeElement.matches(EDITABLE);
}

export function isChanged(control) {
  if (control.type === "hidden") return false;
  if (control.matches("[type=checkbox], [type=radio]")) return control.checked !== control.defaultChecked;
  if (control.tagName === "SELECT") return isChosenAnew(control);
  return "defaultValue" in control && control.tagName !== "OUTPUT" && control.value !== control.defaultValue;
}

function isChosenAnew(select) {
  const options = [...select.options];
  const before = options.some((option) => option.defaultSelected);
  return before ? options.some((option) => option.selected !== option.defaultSelected) : select.selectedIndex > 0;
}
