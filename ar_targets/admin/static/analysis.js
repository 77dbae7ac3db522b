// Shows where in a picture a problem is: while its button is pointed at or has the focus, and for
// good once it is pressed.

const pressed = () => document.querySelector("[data-area][aria-pressed=true]");

function show(button) {
  const layers = document.querySelector(".layers");
  const area = layers?.querySelector(".area");
  if (!area) return;
  const [x, y, width, height] = button ? button.dataset.area.split(" ") : [0, 0, 0, 0];
  for (const [name, value] of Object.entries({ x, y, width, height })) area.setAttribute(name, value);
  layers.classList.toggle("pointed", Boolean(button));
}

const buttonOf = (event) => event.target.closest?.("[data-area]");

for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const button = buttonOf(event);
    if (button) show(button);
  });
}
for (const kind of ["pointerout", "focusout"]) {
  document.addEventListener(kind, (event) => {
    if (buttonOf(event)) show(pressed());
  });
}
document.addEventListener("click", (event) => {
  const button = buttonOf(event);
  if (!button) return;
  const before = pressed();
  before?.setAttribute("aria-pressed", "false");
  if (before !== button) button.setAttribute("aria-pressed", "true");
  show(pressed());
});
