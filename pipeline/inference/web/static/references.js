"use strict";

// Drawings whose style and colours a translation takes: a gallery by the renderer, and the visitor's own drawing.

class References {
  /** @param options `say(sentence, error)`, `onChange()`, and `fallback()`, which chooses a style instead. */
  constructor(options) {
    Object.assign(this, options);
    this.drawings = []; // bytes of each picture, and its measured look
    this.own = null; // label of the visitor's own drawing
    this.list = document.getElementById("references");
    this.list.addEventListener("change", () => this.follow());
    document.getElementById("own").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = ""; // so that the same file can be chosen again
      if (file) this.upload(file);
    });
  }

  get chosen() {
    return this.drawings[this.list.querySelector("input:checked")?.value];
  }

  /** Return the style and the colours of the chosen drawing; nothing without one. */
  get look() {
    return this.chosen?.look ?? {};
  }

  async offer(references) {
    document.getElementById("references-row").hidden = !references.length;
    for (const { style, person } of references) {
      const [{ picture }] = await askForDrawings({ styles: [style], size: 256, person });
      const bytes = Uint8Array.from(atob(picture.split(",")[1]), (character) => character.charCodeAt(0));
      this.add(new Blob([bytes]), picture, person.hair);
    }
  }

  add(bytes, address, name) {
    const label = choice("style", this.drawings.length, name);
    const picture = document.createElement("img");
    Object.assign(picture, { alt: "", width: 96, height: 96, src: address });
    label.classList.add("pictured");
    label.querySelector("span").before(picture);
    this.list.append(label);
    this.drawings.push({ bytes });
    return label;
  }

  upload(file) {
    this.own?.remove();
    this.own = this.add(file, URL.createObjectURL(file), "your own");
    this.own.querySelector("input").checked = true;
    this.follow();
  }

  /** Measure the chosen drawing once, then translate. */
  async follow() {
    const drawing = this.chosen;
    if (!drawing.look) {
      this.say("Measuring the drawing …");
      try {
        const answer = await fetch("api/reference", {
          method: "POST",
          headers: { "Content-Type": "application/octet-stream" },
          body: drawing.bytes,
        });
        const content = await answer.json();
        if (!answer.ok) throw new Error(content.error);
        drawing.look = content;
      } catch (error) {
        this.say(error instanceof TypeError ? "The server does not answer. Check that it is running." : error.message, true);
        if (this.chosen === drawing) this.fallback();
        return;
      }
    }
    if (this.chosen === drawing) this.onChange();
  }
}
