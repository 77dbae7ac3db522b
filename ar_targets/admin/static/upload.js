// Uploads of photographs, each by a request of its own: with progress, and a message per file.
// Where the server can examine pictures, each is checked first; a weak one waits for an answer, and
// the others go on. What cannot be checked now is stored.

const AT_ONCE = 2;
const token = document.querySelector("meta[name=csrf-token]").content;

for (const form of document.querySelectorAll("form[data-upload]")) prepare(form);

function prepare(form) {
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector(".uploads");
  const waiting = [];
  let running = 0;
  form.classList.add("scripted");

  function add(files) {
    for (const file of files) waiting.push({ file, line: makeLine(list, file), unchecked: Boolean(form.dataset.check) });
    next();
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      work(waiting.shift()).finally(() => {
        running -= 1;
        if (!running && !waiting.length) list.dispatchEvent(new CustomEvent("finished", { bubbles: true }));
        next();
      });
    }
  }

  async function work(entry) {
    const { file, line } = entry;
    if (entry.unchecked) {
      entry.unchecked = false;
      line.word.textContent = "Checking …";
      const found = told(await post(form.dataset.check, file, line));
      if (found.refused && !found.away) return refuse(line, found.refused);
      if (found.warning) return warn(line, found, () => keep(entry), input);
      if (found.unknown || found.away) line.note = ` It was not checked: ${found.unknown || found.refused}.`;
    }
    line.word.textContent = "Uploading …";
    const stored = told(await post(form.action, file, line), 201);
    if (stored.refused) refuse(line, stored.refused);
    else tell(line, stored);
  }

  function keep(entry) {
    waiting.push(entry);
    next();
  }

  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add(event.dataTransfer.files);
  });
}

function makeLine(list, file) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.alt = "";
  if (file.type === "image/jpeg") {
    picture.src = URL.createObjectURL(file);
    picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
  }
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = file.name;
  const outcome = document.createElement("span");
  outcome.className = "outcome";
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", `Upload of ${file.name}`);
  const word = document.createElement("span");
  outcome.append(word, progress);
  item.append(picture, name, outcome);
  list.append(item);
  item.tabIndex = -1;
  return { item, outcome, progress, word, note: "" };
}

// The request, once it is answered or has failed.
function post(address, file, line) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("image", file);
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) line.progress.value = event.loaded / event.total;
    };
    request.onload = request.onerror = () => resolve(request);
    request.send(body);
  });
}

// What was answered, or why it was refused; `away` where another try may fare better.
function told(request, expected = 200) {
  if (!request.status) return { refused: "the server cannot be reached; try again", away: true };
  const away = request.status >= 500;
  try {
    const answer = JSON.parse(request.responseText);
    if (request.status === expected) return answer;
    return { refused: answer.errors.map((error) => error.description).join("; "), away };
  } catch {
    return { refused: `the server answered ${request.status}`, away };
  }
}

function tell(line, answer) {
  line.item.className = "stored";
  const link = document.createElement("a");
  link.href = answer.url;
  link.textContent = "Stored – open it";
  line.outcome.replaceChildren(link, line.note);
  const grid = document.querySelector(".grid");
  if (grid) grid.prepend(tile(answer, line));
}

function tile(answer, line) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const picture = document.createElement("img");
  const name = document.createElement("span");
  link.href = answer.url;
  picture.className = "thumb";
  picture.alt = "";
  picture.src = answer.thumbnail;
  name.textContent = line.item.querySelector(".name").textContent;
  link.append(picture, name);
  item.append(link);
  return item;
}

// A weak picture is stored only when somebody says so.
function warn(line, found, keep, input) {
  const name = line.item.querySelector(".name").textContent;
  const title = document.createElement("strong");
  title.textContent = `Not stored yet. ${found.warning}`;
  const reasons = document.createElement("ul");
  for (const text of found.reasons) reasons.append(bullet(text));
  for (const other of found.similar) {
    const link = document.createElement("a");
    link.href = other.url;
    link.textContent = other.name;
    reasons.append(bullet("It resembles ", link, ` (${Math.round(other.similarity * 100)} %).`));
  }
  const actions = document.createElement("div");
  actions.className = "actions";
  actions.append(
    button("Store it anyway", name, () => {
      line.item.className = "";
      line.progress.value = 0;
      line.word.textContent = "Waiting …";
      line.outcome.replaceChildren(line.word, line.progress);
      line.item.focus();
      keep();
    }),
    button("Take it out", name, () => {
      line.item.remove();
      (document.querySelector(".uploads .warned button") || input).focus();
    }),
  );
  line.item.className = "warned";
  line.outcome.replaceChildren(title, reasons, actions);
}

function bullet(...parts) {
  const item = document.createElement("li");
  item.append(...parts);
  return item;
}

function button(text, name, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.setAttribute("aria-label", `${text}: ${name}`);
  made.addEventListener("click", action);
  return made;
}

function refuse(line, text) {
  line.item.className = "refused";
  line.outcome.textContent = text;
}
