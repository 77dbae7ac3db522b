// Checks a picture without leaving the page, which still has the file: it is shown beside what was
// found out. Without this script the same page comes without the picture.

const form = document.querySelector("[data-check-picture]");
const result = document.getElementById("result");
if (form) prepare(form);

function prepare(form) {
  const drop = form.querySelector(".drop");
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say("Examining …");
    try {
      await check(form, input.files[0]);
    } catch {
      say("The server cannot be reached; try again.", "message danger");
    }
    button.disabled = false;
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    // A field for one file takes one.
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    form.requestSubmit();
  });
}

async function check(form, file) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("result");
  // The login page, or an error that has a page of its own.
  if (!found) return say(`The server answered ${answer.status}; load this page again.`, "message danger");
  result.replaceChildren(...document.adoptNode(found).childNodes);
  const figure = result.querySelector("figure");
  if (!figure) return;
  shown(figure.querySelector("img"), file);
  const heat = figure.querySelector(".heat");
  const png = Uint8Array.from(atob(heat.dataset.png), (letter) => letter.charCodeAt(0));
  heat.setAttribute("href", URL.createObjectURL(new Blob([png], { type: "image/png" })));
  figure.hidden = false;
  result.querySelector("h2").focus();
}

function shown(picture, file) {
  picture.src = URL.createObjectURL(file);
  picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
}

function say(text, kind = "card empty") {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  result.replaceChildren(line);
}
