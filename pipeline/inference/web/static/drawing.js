"use strict";

// The drawn portrait of one face: its picture, and a control for each attribute that a visitor can correct.

const isColour = (value) => typeof value === "string" && value.startsWith("#");

async function askForDrawings(body, signal) {
  const answer = await fetch("api/draw", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content.drawings;
}

/** Return a radio button that shows a name or a colour. */
function choice(group, value, text, colour) {
  const label = document.getElementById("choice").content.cloneNode(true).querySelector("label");
  const [input, shown] = [label.querySelector("input"), label.querySelector("span")];
  input.name = group;
  input.value = value;
  shown.textContent = text;
  if (colour) {
    label.classList.add("swatch");
    label.title = text;
    label.style.setProperty("--colour", colour);
  }
  return label;
}

class DrawnPerson {
  /**
   * @param item List item of the face.
   * @param person Measured attributes.
   * @param controls Attributes that can be corrected, as `api/facts` describes them.
   * @param options `number` of the face, `settings()` with style and size, `onChange()`.
   */
  constructor(item, person, controls, options) {
    Object.assign(this, { item, person, controls, ...options });
    this.changes = {};
    this.running = null;
    this.address = null; // of the SVG
    item.querySelector(".drawn").hidden = false;
    const editor = item.querySelector(".editor");
    editor.hidden = false;
    editor.open = this.number === 0;
    editor.querySelector(".controls").append(...controls.map((control) => this.fieldset(control)));
    editor.querySelector(".reset").addEventListener("click", () => {
      this.changes = {};
      this.changed();
    });
  }

  fieldset({ name, label, values, colours }) {
    const set = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = label;
    const row = document.createElement("div");
    row.className = "choices";
    const group = `${name}-${this.number}`;
    if (isColour(this.person[name])) row.append(choice(group, "photo", "as in the photo", this.person[name]));
    for (const value of values) row.append(choice(group, value, value.replaceAll("_", " "), colours[value]));
    set.dataset.name = name;
    set.append(legend, row);
    set.addEventListener("change", (event) => this.correct(name, event.target.value));
    return set;
  }

  correct(name, value) {
    if (value === "photo" || value === this.person[name]) delete this.changes[name];
    else this.changes[name] = value;
    this.changed();
  }

  changed() {
    this.draw();
    this.onChange();
  }

  description() {
    return { person: this.person, changes: this.changes };
  }

  async draw() {
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const problem = this.item.querySelector(".problem");
    this.item.classList.add("busy");
    try {
      const { style, size } = this.settings();
      const [drawing] = await askForDrawings({ styles: [style], size, ...this.description() }, mine.signal);
      problem.hidden = true;
      this.show(drawing);
    } catch (error) {
      if (error.name === "AbortError") return;
      problem.textContent = error instanceof TypeError ? "The server does not answer." : error.message;
      problem.hidden = false;
    }
    this.item.classList.remove("busy");
  }

  show({ picture, svg, attributes }) {
    const ending = this.number ? `-${this.number + 1}` : "";
    const [png, vector] = [this.item.querySelector(".save-png"), this.item.querySelector(".save-svg")];
    for (const image of this.item.querySelectorAll(".drawing, .preview")) image.src = picture;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    [png.href, png.download] = [picture, `drawing${ending}.png`];
    [vector.href, vector.download] = [this.address, `drawing${ending}.svg`];
    for (const set of this.item.querySelectorAll(".controls fieldset")) {
      const name = set.dataset.name;
      const value = this.changes[name] ?? (isColour(this.person[name]) ? "photo" : attributes[name]);
      for (const input of set.querySelectorAll("input")) input.checked = input.value === value;
      set.classList.toggle("corrected", name in this.changes);
    }
    this.item.querySelector(".reset").disabled = !Object.keys(this.changes).length;
  }
}
