// The picture of a page: draws what moving.js placed; opens, closes, finds and tells of boxes.
"use strict";

const escaped = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const num = (value) => String(Math.round(value * 10) / 10);

function path(metrics, { x, top, bend, end, to, bottom, oblique }) {
  if (Math.abs(x - to) <= metrics.straight) {
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

// A picture in `host`. `heard` is told by name of what happens in it: `point(item)` is looked at,
// `choose(item)` is chosen; 0 is the network itself.
function pictureOf(host, data, heard) {
  const open = new Set(data.open);
  const blocks = [...data.items.keys()].filter((index) => data.items[index].children && index);
  const parents = [];
  data.items.forEach((item, index) => item.children?.forEach((child) => (parents[child] = index)));
  const tip =
    '<marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" ' +
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.8L8 4L0 7.2z"/></marker>';
  let chosen = [];
  let pointed = 0;
  let scale = 1;

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
        `<path class="line" d="${path(data.metrics, line)}"${line.arrow ? ' marker-end="url(#tip)"' : ""}/>`,
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
    const net = pack(data, open);
    const [width, height] = [net.left + net.right, net.height];
    host.innerHTML =
      `<svg xmlns="http://www.w3.org/2000/svg" width="${num(width * scale)}" height="${num(height * scale)}" ` +
      `viewBox="0 0 ${num(width)} ${num(height)}" role="group" aria-label="${escaped(data.name)}">` +
      `<defs>${tip}</defs><g transform="translate(${num(net.left)} 0)">${drawn(net)}</g></svg>`;
    show();
  }

  const find = (index) => host.querySelector(`[data-item="${index}"]`);

  // A box and the blocks around it, from inside out.
  function outwards(index) {
    const found = [];
    for (let box = index; box; box = parents[box]) {
      found.push(box);
    }
    return found;
  }

  // Marks what is chosen, or the closed blocks in which it is hidden.
  function show() {
    host.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
    for (const index of chosen) {
      find(outwards(index).find(find))?.classList.add("chosen");
    }
  }

  // Draw anew, a box (or what it is hidden in) staying where it is on the screen.
  function renderAround(index) {
    const places = [...outwards(index), 1].map((box) => [box, find(box)?.getBoundingClientRect()]);
    render();
    const [box, before] = places.find(([box, place]) => place && find(box)) || [];
    if (before) {
      const after = find(box).getBoundingClientRect();
      host.scrollTop += after.top - before.top;
      host.scrollLeft += (after.left + after.right - before.left - before.right) / 2;
    }
  }

  // Mark boxes; the first is brought into sight, the blocks around it opened.
  function mark(items) {
    chosen = items;
    const hidden = items.length === 1 && outwards(items[0]).slice(1).filter((box) => !open.has(box));
    if (hidden && hidden.length) {
      hidden.forEach((box) => open.add(box));
      render();
    } else {
      show();
    }
    const first = items.length ? find(outwards(items[0]).find(find)) : null;
    if (first) {
      // Not scrollIntoView: the page around the picture stays where it is.
      const [box, frame] = [first.getBoundingClientRect(), host.getBoundingClientRect()];
      if (box.top < frame.top || box.bottom > frame.bottom) {
        host.scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
      }
      if (box.left < frame.left || box.right > frame.right) {
        host.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
      }
    }
  }

  function choose(index) {
    chosen = index ? [index] : [];
    show();
    heard.choose(index);
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
    const all = [...host.querySelectorAll(".node")];
    return all[all.findIndex((box) => Number(box.dataset.item) === index) + step];
  }

  function point(index) {
    if (index !== pointed) {
      pointed = index;
      heard.point(index);
    }
  }

  host.addEventListener("click", ({ target }) => {
    const index = indexOf(target);
    index === null ? choose(0) : toggle(index);
  });
  host.addEventListener("mousemove", ({ target, movementX, movementY }) => {
    if (movementX || movementY) { // a picture that moves is no pointing
      point(indexOf(target) ?? chosen[0] ?? 0);
    }
  });
  host.addEventListener("mouseleave", () => point(chosen[0] ?? 0));
  host.addEventListener("focusin", ({ target }) => {
    const index = indexOf(target);
    if (index !== null && !chosen.includes(index)) {
      choose(index);
    }
  });
  host.addEventListener("keydown", (event) => {
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

  function setScale(value) {
    scale = Math.min(4, Math.max(0.1, value));
    renderAround(chosen[0] ?? 0);
  }
  host.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) {
        event.preventDefault();
        setScale(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
      }
    },
    { passive: false },
  );

  function save() {
    const svg = host.querySelector("svg").cloneNode(true);
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

  function fit() {
    const box = host.querySelector("svg").viewBox.baseVal;
    setScale(Math.min(host.clientWidth / box.width, host.clientHeight / box.height, 1.5));
  }

  // The boxes whose names hold a text, in the order of the definition.
  function search(text) {
    const wanted = text.trim().toLowerCase();
    return [...data.items.keys()].filter(
      (index) => index && wanted && data.items[index].name.toLowerCase().includes(wanted),
    );
  }

  function each(change) {
    blocks.forEach(change);
    renderAround(chosen[0] ?? 0);
  }

  const actions = {
    "open-all": () => each((index) => open.add(index)),
    "close-all": () => each((index) => open.delete(index)),
    larger: () => setScale(scale * 1.25),
    smaller: () => setScale(scale / 1.25),
    fit,
    save,
  };
  for (const [id, act] of Object.entries(actions)) {
    document.getElementById(id).addEventListener("click", act);
  }
  const field = document.getElementById("search");
  const found = document.getElementById("found");
  let [hits, turn] = [[], 0];
  function look() {
    found.textContent = hits.length ? `${turn + 1} of ${hits.length}` : field.value && "none";
    if (hits.length) {
      mark([hits[turn]]);
      heard.choose(hits[turn]);
    }
  }
  field.addEventListener("input", () => {
    [hits, turn] = [search(field.value), 0];
    look();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && hits.length) {
      turn = (turn + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      look();
    }
  });
  render();
  return { mark };
}

// The facts about a box, in the parts of the page that are there for them.
function tell(data, index) {
  const item = data.items[index];
  document.getElementById("chosen").textContent = index ? item.name : data.name;
  document.getElementById("totals").hidden = index !== 0;
  const element = (name, word) => {
    const made = document.createElement(name);
    made.textContent = data.words[word];
    return made;
  };
  const [facts, lines] = index ? [item.rows, item.lines] : [[], []];
  document
    .getElementById("facts")
    .replaceChildren(...facts.map((word, place) => element(place % 2 ? "dd" : "dt", word)));
  document.getElementById("derivation").replaceChildren(...lines.map((word) => element("li", word)));
}
