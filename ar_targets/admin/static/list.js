// Lists and forms: a box that ticks all others, and values that are offered while one types.

const boxes = [...document.querySelectorAll("input[name=rowid][type=checkbox]")];
const all = document.querySelector("[data-select-all]");
const chosen = document.querySelector("#selection .chosen");
const buttons = document.querySelectorAll("#selection button");

function count() {
  const ticked = boxes.filter((box) => box.checked).length;
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  if (chosen) chosen.textContent = ticked ? `${ticked} chosen:` : "Choose rows:";
  for (const button of buttons) button.disabled = !ticked;
}

if (all) {
  all.disabled = !boxes.length;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
}
for (const box of boxes) box.addEventListener("change", count);
count();

// Offers come half a moment after the last key, and only the newest answer counts.
const WAIT = 150;

for (const field of document.querySelectorAll("[data-lookup-url]")) {
  const list = document.createElement("datalist");
  list.id = `${field.id || field.name}-offers`;
  field.after(list);
  field.setAttribute("list", list.id);
  let timer, asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const number = ++asked;
      const query = new URLSearchParams({ name: field.dataset.lookup, query: field.value });
      const answer = await fetch(`${field.dataset.lookupUrl}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || number !== asked) return;
      const offers = await answer.json();
      list.replaceChildren(...offers.map(([, text]) => new Option(text, text)));
    }, WAIT);
  });
}
