// The page: draws what packing.js packed, and opens, closes and tells of boxes.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plan = planOf(data);
  const picture = document.getElementById("picture");
  const open = new Set(data.open);
  const blocks = [...data.items.keys()].filter((index) => data.items[index].children && index);
  const parents = [];
  data.items.forEach((item, index) => item.children?.forEach((child) => (parents[child] = index)));
  const tip =
    '<marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" ' +
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.8L8 4L0 7.2z"/></marker>';
  let chosen = 0;
  let pointed = 0;
  let scale = 1;

  const escaped = (text) =>
    text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const num = (value) => String(Math.round(value * 10) / 10);

  function path({ x, top, bend, end, to, bottom, oblique }) {
    if (Math.abs(x - to) <= data.metrics.straight) {
      return `M${num(x)} ${num(top)}V${num(bottom)}`;
    }
    const middle = (bend + end) / 2;
    if (oblique) {
      const over = `C${num(x)} ${num(middle)} ${num(to)} ${num(middle)} ${num(to)} ${num(end)}`;
      return `M${num(x)} ${num(top)}V${num(bend)}${over}V${num(bottom)}`;
    }
    const round = Math.min((end - bend) / 2, Math.abs(to - x) / 2);
    const side = to > x ? round : -round;
    return (
      `M${num(x)} ${num(top)}V${num(middle - round)}` +
      `Q${num(x)} ${num(middle)} ${num(x + side)} ${num(middle)}H${num(to - side)}` +
      `Q${num(to)} ${num(middle)} ${num(to)} ${num(middle + round)}V${num(bottom)}`
    );
  }

  // What a screen reader says of a box: its name and the first facts about it.
  function spoken(item) {
    const words = item.rows.slice(0, 8).map((word) => data.words[word]);
    const facts = words.flatMap((word, place) => (place % 2 ? [] : [`${word} ${words[place + 1]}`]));
    return escaped(`${item.name}: ${facts.join(", ")}`);
  }

  function node(index, box) {
    const item = data.items[index];
    const inside = box.children.length > 0;
    const state = item.children ? `role="button" aria-expanded="${inside}"` : 'role="img"';
    const head = `<g class="node" data-item="${index}" tabindex="0" ${state} aria-label="${spoken(item)}">`;
    if (!inside) {
      return `${head}${data.faces[item.face].svg}</g>`;
    }
    const [left, width] = [num(-box.left), num(box.left + box.right)];
    return (
      `${head}<rect class="frame" x="${left}" y="0" width="${width}" height="${num(box.height)}" rx="6"/>` +
      `<g transform="translate(${left} 0)">${data.titles[item.title].svg}</g></g>`
    );
  }

  function drawn(packed) {
    const parts = packed.lines.map(
      (line) =>
        `<path class="line" d="${path(line)}"${line.arrow ? ' marker-end="url(#tip)"' : ""}/>`,
    );
    for (const { x, y, text } of packed.labels) {
      parts.push(`<text class="shape" x="${num(x)}" y="${num(y)}">${escaped(text)}</text>`);
    }
    for (const { box, x, y } of packed.children) {
      const inside = box.children.length ? drawn(box) : "";
      parts.push(`<g transform="translate(${num(x)} ${num(y)})">${node(box.item, box)}${inside}</g>`);
    }
    return parts.join("");
  }

  function render() {
    const net = pack(plan, open);
    const [width, height] = [net.left + net.right, net.height];
    picture.innerHTML =
      `<svg xmlns="http://www.w3.org/2000/svg" width="${num(width * scale)}" height="${num(height * scale)}" ` +
      `viewBox="0 0 ${num(width)} ${num(height)}" role="group" aria-label="${escaped(data.name)}">` +
      `<defs>${tip}</defs><g transform="translate(${num(net.left)} 0)">${drawn(net)}</g></svg>`;
    mark();
  }

  const find = (index) => picture.querySelector(`[data-item="${index}"]`);

  function mark() {
    picture.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
    find(chosen)?.classList.add("chosen");
  }

  // A box and the blocks around it, from inside out; the first box of all in the end.
  function outwards(index) {
    const found = [];
    for (let box = index; box; box = parents[box]) {
      found.push(box);
    }
    return [...found, 1];
  }

  // Draw anew, a box (or what it is hidden in) staying where it is on the screen.
  function renderAround(index) {
    const places = outwards(index).map((box) => [box, find(box)?.getBoundingClientRect()]);
    render();
    const [box, before] = places.find(([box, place]) => place && find(box)) || [];
    if (before) {
      const after = find(box).getBoundingClientRect();
      picture.scrollTop += after.top - before.top;
      picture.scrollLeft += (after.left + after.right - before.left - before.right) / 2;
    }
    if (chosen && !find(chosen)) {
      choose(outwards(chosen).find(find));
    }
  }

  function tell(index) {
    pointed = index;
    const item = data.items[index];
    document.getElementById("chosen").textContent = index ? item.name : data.name;
    document.getElementById("totals").hidden = index !== 0;
    const facts = document.getElementById("facts");
    const words = index ? item.rows.map((word) => data.words[word]) : [];
    facts.replaceChildren(
      ...words.map((word, place) => {
        const element = document.createElement(place % 2 ? "dd" : "dt");
        element.textContent = word;
        return element;
      }),
    );
    document.getElementById("derivation").replaceChildren(
      ...(index ? item.lines : []).map((word) => {
        const element = document.createElement("li");
        element.textContent = data.words[word];
        return element;
      }),
    );
  }

  function choose(index) {
    chosen = index;
    mark();
    tell(index);
  }

  function toggle(index) {
    if (data.items[index].children) {
      open.has(index) ? open.delete(index) : open.add(index);
      renderAround(index);
      find(index).focus({ preventScroll: true });
    }
    choose(index);
  }

  const indexOf = (target) => {
    const box = target.closest?.(".node");
    return box ? Number(box.dataset.item) : null;
  };

  // The box before or after one in the order of the drawing.
  function neighbour(index, step) {
    const all = [...picture.querySelectorAll(".node")];
    return all[all.findIndex((box) => Number(box.dataset.item) === index) + step];
  }

  picture.addEventListener("click", ({ target }) => {
    const index = indexOf(target);
    index === null ? choose(0) : toggle(index);
  });
  picture.addEventListener("mousemove", ({ target, movementX, movementY }) => {
    const index = indexOf(target) ?? chosen;
    if ((movementX || movementY) && index !== pointed) {  // a picture that moves is no pointing
      tell(index);
    }
  });
  picture.addEventListener("mouseleave", () => tell(chosen));
  picture.addEventListener("focusin", ({ target }) => choose(indexOf(target) ?? chosen));
  picture.addEventListener("keydown", (event) => {
    const index = indexOf(event.target);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (index === null) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      toggle(index);
    } else if (step) {
      event.preventDefault();
      neighbour(index, step)?.focus();
    }
  });

  function resize(factor) {
    scale = Math.min(4, Math.max(0.1, scale * factor));
    renderAround(chosen);
  }

  function save() {
    const svg = picture.querySelector("svg").cloneNode(true);
    const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    style.textContent = document.querySelector("style").textContent;
    svg.prepend(style);
    for (const box of svg.querySelectorAll(".node")) {
      for (const name of ["tabindex", "role", "aria-expanded", "data-item"]) {
        box.removeAttribute(name);
      }
    }
    const link = document.createElement("a");
    const text = new XMLSerializer().serializeToString(svg);
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = `${data.name}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  const actions = {
    "open-all": () => blocks.forEach((index) => open.add(index)),
    "close-all": () => blocks.forEach((index) => open.delete(index)),
  };
  for (const [id, act] of Object.entries(actions)) {
    document.getElementById(id).addEventListener("click", () => {
      act();
      renderAround(chosen);
    });
  }
  document.getElementById("larger").addEventListener("click", () => resize(1.25));
  document.getElementById("smaller").addEventListener("click", () => resize(0.8));
  document.getElementById("save").addEventListener("click", save);
  render();
})();
