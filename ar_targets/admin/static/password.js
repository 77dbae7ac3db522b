// A box to show the password that is typed: without this script there is none.

for (const place of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(place.dataset.shows);
  const label = document.createElement("label");
  label.className = "check";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.addEventListener("change", () => { field.type = box.checked ? "text" : "password"; });
  // Hidden again on its way, so that browsers take it for a password and offer to keep it.
  field.form.addEventListener("submit", () => { field.type = "password"; });
  label.append(box, "Show the password");
  place.append(label);
}
