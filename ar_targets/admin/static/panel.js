// What every page does: tells times in the reader's zone, asks before it deletes, copies,
// tells a chart's values, filters at once, and waits for thumbnails.

// Times are sent in UTC, and shown in the reader's zone; their titles keep UTC. Those relative to
// now are the same in every zone.
const inZone = new Intl.DateTimeFormat(undefined, {
  day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});
for (const time of document.querySelectorAll("time[datetime]:not(.ago)")) {
  time.textContent = inZone.format(new Date(time.dateTime));
}
const zone = document.querySelector("[data-zone]");
if (zone) zone.textContent = `Times are in ${inZone.resolvedOptions().timeZone}; UTC is in their titles.`;

const dialog = document.getElementById("confirm");

// The form goes on its way only after a yes. A list has a button, and a question, for each action.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const asks = button?.dataset.confirm ? button : form;
    if (!asks.dataset.confirm || form.dataset.confirmed) return;
    event.preventDefault();
    document.getElementById("confirm-text").textContent = asks.dataset.confirm;
    const yes = document.getElementById("confirm-yes");
    yes.textContent = asks.dataset.yes || "Yes";
    dialog.returnValue = "no";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(button);
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

// The value of a day of a chart, under the pointer or by arrow keys; a table has them all.
for (const plot of document.querySelectorAll(".plot")) {
  const rows = [...plot.parentElement.querySelectorAll("tbody tr")].map(
    (row) => [...row.cells].map((cell) => cell.textContent.trim()),
  );
  const svg = plot.querySelector("svg");
  const cursor = plot.querySelector(".cursor");
  const value = plot.querySelector(".value");
  let day = rows.length - 1;
  const show = (wanted) => {
    day = Math.min(Math.max(wanted, 0), rows.length - 1);
    const x = (600 * day) / (rows.length - 1);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    value.textContent = rows[day].join(": ");
  };
  const hide = () => {
    value.textContent = "";
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, -9999);
  };
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.round(((event.clientX - box.left) / box.width) * (rows.length - 1)));
  };
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointermove", point);
  // A finger leaves when it is lifted: the value stays until something else has the focus.
  plot.addEventListener("pointerleave", () => { if (document.activeElement !== plot) hide(); });
  plot.addEventListener("focus", () => show(day));
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: day - 1, ArrowRight: day + 1, Home: 0, End: rows.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(steps[event.key]);
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
