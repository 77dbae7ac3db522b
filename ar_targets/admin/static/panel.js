// What every page does: asks before it deletes, copies, filters at once, and waits for thumbnails.

const dialog = document.getElementById("confirm");

// The form goes on its way only after a yes.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.confirmed) return;
    event.preventDefault();
    document.getElementById("confirm-text").textContent = form.dataset.confirm;
    const yes = document.getElementById("confirm-yes");
    yes.textContent = form.dataset.yes || "Yes";
    yes.className = form.querySelector("button.danger") ? "danger" : "";
    dialog.returnValue = "no";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "yes";
      form.requestSubmit();
    };
    dialog.showModal();
  });
}

// Clipboards are for secure pages; elsewhere the old way still works, which needs a field.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("not copied");
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.querySelector("span");
  button.addEventListener("click", async () => {
    try {
      await copy(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Cannot copy here";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 4000);
  });
}

for (const choice of document.querySelectorAll("[data-submit]")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// The server draws few thumbnails at a time, and has nothing yet for all others: they are
// asked for again, less and less often. What cannot be drawn comes as a picture that says so.
const TRIES = 20;

function askLater(picture) {
  const tries = Number(picture.dataset.tries || 0);
  if (picture.dataset.waits || tries === TRIES) return;
  picture.dataset.tries = tries + 1;
  picture.dataset.waits = "yes";
  const seconds = Math.min(1 + tries / 2, 8) * (0.75 + Math.random() / 2);
  setTimeout(() => {
    delete picture.dataset.waits;
    picture.src = picture.src;
  }, 1000 * seconds);
}

// This event does not rise from where it happens; it can be met on its way down.
document.addEventListener("error", (event) => {
  if (event.target.matches("img.thumb")) askLater(event.target);
}, true);
// What has come before this script.
for (const picture of document.querySelectorAll("img.thumb")) {
  if (picture.complete && !picture.naturalWidth) askLater(picture);
}
