"use strict";

const at = (id) => document.getElementById(id);
let photo = null; // the bytes of the last photo, for another translation after a slider moved
let insisted = false; // whether the centre is translated if no face is found
let facts = { noise: false, upload_bytes: 12 * 2 ** 20, examples: [] };
let running = null; // aborts the previous request when another photo is chosen

function say(sentence, error = false) {
  at("message").textContent = sentence;
  at("message").classList.toggle("error", error);
}

async function translate(bytes, anyway = false) {
  running?.abort(); // also if this photo is refused: the older answer must not arrive after the refusal
  photo = bytes;
  insisted = anyway;
  at("anyway").hidden = true;
  at("results").replaceChildren();
  if (bytes.size > facts.upload_bytes) {
    say(`This file is larger than ${Math.floor(facts.upload_bytes / 2 ** 20)} MB. Make it smaller.`, true);
    return;
  }
  const mine = (running = new AbortController());
  say("Translating …");
  const query = new URLSearchParams({ size: at("size").value, seed: at("seed").value, anyway: anyway ? "1" : "0" });
  try {
    const answer = await fetch(`api/translate?${query}`, {
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
    at("results").replaceChildren(...content.faces.map(show));
    say(content.faces.length === 1 ? "One face." : `${content.faces.length} faces.`);
  } catch (error) {
    if (error.name !== "AbortError") say("The server does not answer. Check that it is running.", true);
  }
}

function show(face, index) {
  const item = at("face").content.cloneNode(true);
  for (const name of ["input", "anime", "back"]) item.querySelector(`.${name}`).src = face[name];
  const link = item.querySelector("a");
  link.href = face.anime;
  link.download = index ? `anime-${index + 1}.png` : "anime.png";
  return item;
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
  at(name).addEventListener("change", () => photo && translate(photo, insisted));
}

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
