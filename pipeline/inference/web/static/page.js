"use strict";

const at = (id) => document.getElementById(id);
let photo = null; // the bytes of the last photo, to translate it again after a setting changes
let insisted = false; // whether the centre is translated if no face is found
let facts = { noise: false, styles: [], drawing: null, upload_bytes: 12 * 2 ** 20, examples: [], references: [] };
let running = null; // aborts the previous request when another photo is chosen
let drawn = []; // the drawn portraits of the faces; null for a face without measured attributes
let thumbnails = null; // aborts the previous request for the pictures of the styles
let soon = 0; // timer of the next such request

const references = new References({
  say,
  onChange: () => (photo ? translate(photo, insisted, true) : say("No photo yet.")),
  fallback: () => (document.querySelector("#styles input").checked = true),
});

function say(sentence, error = false) {
  at("message").textContent = sentence;
  at("message").classList.toggle("error", error);
}

const settings = () => ({
  style: references.look.style ?? document.querySelector("#styles input:checked")?.value ?? facts.drawing?.styles[0],
  size: Number(at("size").value),
});

function query(anyway) {
  const { style, size } = settings();
  const known = facts.styles.includes(style) ? { style } : {};
  const asked = new URLSearchParams({ size, seed: at("seed").value, anyway: anyway ? "1" : "0", ...known });
  for (const name of ["hair", "eyes", "background"]) {
    if (references.look[name]) asked.set(name, references.look[name].slice(1));
  }
  return asked;
}

/** Translate a photo; `again`: the same photo with other settings, so keep the corrections of its drawings. */
async function translate(bytes, anyway = false, again = false) {
  running?.abort(); // also if this photo is refused: an older answer must not arrive after that
  photo = bytes;
  insisted = anyway;
  at("anyway").hidden = true;
  if (!again) {
    at("results").replaceChildren();
    drawn = [];
  }
  if (bytes.size > facts.upload_bytes) {
    say(`This file is larger than ${Math.floor(facts.upload_bytes / 2 ** 20)} MB. Make it smaller.`, true);
    return;
  }
  const mine = (running = new AbortController());
  say("Translating …");
  try {
    const answer = await fetch(`api/translate?${query(anyway)}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: bytes,
      signal: mine.signal,
    });
    const content = await answer.json();
    if (!answer.ok) {
      say(content.error, true);
      at("anyway").hidden = answer.status !== 422;
      return;
    }
    showAll(content.faces, again);
    say(content.faces.length === 1 ? "One face." : `${content.faces.length} faces.`);
  } catch (error) {
    if (error.name !== "AbortError") say("The server does not answer. Check that it is running.", true);
  }
}

function showAll(faces, again) {
  const items = [...at("results").children];
  if (again && items.length === faces.length) {
    faces.forEach((face, index) => showPictures(items[index], face, index));
  } else {
    drawn = [];
    at("results").replaceChildren(...faces.map(show));
    if (matchMedia("(max-width: 56rem)").matches) at("message").scrollIntoView(); // the settings fill a small screen
  }
  for (const person of drawn) person?.draw();
  showStylesSoon();
}

function show(face, index) {
  const item = at("face").content.cloneNode(true).querySelector("li");
  showPictures(item, face, index);
  const onChange = () => index === 0 && showStylesSoon();
  drawn.push(
    facts.drawing && face.person
      ? new DrawnPerson(item, face.person, facts.drawing.controls, { number: index, settings, onChange })
      : null,
  );
  return item;
}

function showPictures(item, face, index) {
  for (const name of ["input", "anime", "back"]) {
    const picture = item.querySelector(`.${name}`);
    picture.closest("figure").hidden = !face[name];
    if (face[name]) picture.src = face[name];
  }
  const link = item.querySelector(".save-anime");
  link.href = face.anime;
  link.download = index ? `anime-${index + 1}.png` : "anime.png";
}

/** Draw the first person in all styles, for the buttons that choose one; before a photo, a person by default. */
async function showStyles() {
  if (!facts.drawing) return;
  thumbnails?.abort();
  const mine = (thumbnails = new AbortController());
  const person = drawn[0]?.description() ?? {};
  try {
    const drawings = await askForDrawings({ styles: facts.drawing.styles, size: 96, ...person }, mine.signal);
    for (const { style, picture } of drawings) document.querySelector(`#styles img[data-style="${style}"]`).src = picture;
  } catch {
    // The buttons also have names.
  }
}

/** Wait until a visitor has made a few corrections, because their drawings have priority. */
function showStylesSoon() {
  clearTimeout(soon);
  soon = setTimeout(showStyles, 700);
}

function offerStyles() {
  const names = [...new Set([...facts.styles, ...(facts.drawing?.styles ?? [])])];
  at("gallery").hidden = names.length < 2;
  for (const [index, name] of names.entries()) {
    const label = choice("style", name, name);
    label.querySelector("input").checked = index === 0;
    if (facts.drawing?.styles.includes(name)) {
      const picture = document.createElement("img");
      Object.assign(picture, { alt: "", width: 96, height: 96 });
      picture.dataset.style = name;
      label.classList.add("pictured");
      label.querySelector("span").before(picture);
    }
    at("styles").append(label);
  }
}

function openFile(file) {
  if (file) translate(file);
}

at("file").addEventListener("change", (event) => {
  openFile(event.target.files[0]);
  event.target.value = ""; // so that the same file can be chosen again
});
for (const name of ["dragenter", "dragover"]) {
  at("drop").addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
at("drop").addEventListener("dragleave", () => at("drop").classList.remove("over"));
at("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  openFile(event.dataTransfer.files[0]);
});
at("anyway").addEventListener("click", () => translate(photo, true));
for (const name of ["size", "seed"]) {
  at(name).addEventListener("input", () => (at(`${name}-value`).value = at(name).value));
  at(name).addEventListener("change", () => photo && translate(photo, insisted, true));
}
at("styles").addEventListener("change", () => photo && translate(photo, insisted, true));

function stopCamera() {
  at("video").srcObject?.getTracks().forEach((track) => track.stop());
  at("video").srcObject = null;
  at("live").hidden = true;
}
at("camera").addEventListener("click", async () => {
  try {
    at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    at("live").hidden = false;
    await at("video").play();
  } catch {
    say("The camera cannot be used. Allow it for this page, and open the page on this machine or over https.", true);
  }
});
at("stop").addEventListener("click", stopCamera);
at("shoot").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  canvas.width = at("video").videoWidth;
  canvas.height = at("video").videoHeight;
  canvas.getContext("2d").drawImage(at("video"), 0, 0);
  stopCamera();
  canvas.toBlob((blob) => translate(blob), "image/jpeg", 0.95);
});

async function start() {
  facts = await (await fetch("api/facts")).json();
  at("seed-row").hidden = !facts.noise;
  offerStyles();
  showStyles();
  references.offer(facts.references).catch(() => say("The gallery of drawings cannot be shown.", true));
  for (const [index, address] of facts.examples.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    const picture = document.createElement("img");
    picture.src = address;
    picture.alt = `Example face ${index + 1}`;
    button.append(picture);
    button.addEventListener("click", async () => translate(await (await fetch(address)).blob()));
    at("examples").append(button);
  }
}
start();
