// Uploads of photographs, each by a request of its own: with progress, and a message per file.

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
    for (const file of files) waiting.push({ file, line: makeLine(list, file) });
    next();
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      const { file, line } = waiting.shift();
      send(form.action, file, line).finally(() => {
        running -= 1;
        if (!running && !waiting.length) list.dispatchEvent(new CustomEvent("finished", { bubbles: true }));
        next();
      });
    }
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
  outcome.append(progress);
  item.append(picture, name, outcome);
  list.append(item);
  return { item, outcome, progress };
}

function send(address, file, line) {
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
    request.onload = () => resolve(tell(line, request));
    request.onerror = () => resolve(refuse(line, "the server cannot be reached; try again"));
    request.send(body);
  });
}

function tell(line, request) {
  let answer = null;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    return refuse(line, `the server answered ${request.status}`);
  }
  if (request.status !== 201) {
    return refuse(line, answer.errors.map((error) => error.description).join("; "));
  }
  line.item.className = "stored";
  const link = document.createElement("a");
  link.href = answer.url;
  link.textContent = "Stored – open it";
  line.outcome.replaceChildren(link);
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

function refuse(line, text) {
  line.item.className = "refused";
  line.outcome.textContent = text;
}
