// The report: picture, table and text, each of which marks what is chosen in the other two.
"use strict";

{
  const data = JSON.parse(document.getElementById("data").textContent);
  const panes = Object.fromEntries(
    ["table", "source"].map((name) => [name, document.getElementById(`${name}-pane`)]),
  );
  const rows = [...document.querySelectorAll("#layers tbody tr")];
  const rowOf = new Map(rows.map((row) => [Number(row.dataset.item), row]));
  const lineOf = new Map(
    [...document.querySelectorAll("[data-line]")].map((line) => [line.dataset.line, line]),
  );
  const bars = [...document.querySelectorAll("[data-item]")].filter((e) => e.tagName === "rect");
  const placesOf = (item) => data.lines[data.places[item]];

  // The layers in a box, itself if it is one.
  function layersIn(item) {
    const { children } = data.items[item];
    return children ? children.flatMap(layersIn) : rowOf.has(item) ? [item] : [];
  }

  // A row or a line inside its pane; the page itself stays where it is.
  function reveal(pane, element) {
    const [box, frame] = [element.getBoundingClientRect(), pane.getBoundingClientRect()];
    const head = 30;
    if (box.top < frame.top + head || box.bottom > frame.bottom) {
      pane.scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
    }
  }

  function mark(pane, elements, name, wanted) {
    elements.forEach((element) => {
      element.classList.remove(name);
      element.removeAttribute("aria-current");
    });
    wanted.forEach((element) => {
      element.classList.add(name);
      element.setAttribute("aria-current", "true");
    });
    if (pane && wanted.length) {
      reveal(pane, wanted[0]);
    }
  }

  let marked = [];
  // Mark boxes everywhere but where they were chosen.
  function choose(items, from) {
    const layers = items.flatMap(layersIn);
    const own = new Set(), called = new Set();
    for (const item of items) {
      placesOf(item).forEach(([file, first, last], depth) => {
        for (let line = first; line <= last; line++) {
          (depth ? called : own).add(lineOf.get(`${file}:${line}`));
        }
      });
    }
    marked.forEach((line) => line.classList.remove("chosen", "called"));
    const present = (lines) => [...lines].filter(Boolean);
    if (from !== "source") {
      mark(null, marked, "called", present(called));
      mark(panes.source, marked, "chosen", present(own));
      marked = [...present(own), ...present(called)];
    }
    mark(from === "table" ? null : panes.table, rows, "chosen", layers.map((i) => rowOf.get(i)));
    const hot = new Set(layers);
    bars.forEach((bar) => bar.classList.toggle("chosen", hot.has(Number(bar.dataset.item))));
    if (from !== "picture") {
      picture.mark(items);
    }
    tell(data, items[0] ?? 0);
  }

  const picture = pictureOf(document.getElementById("picture"), data, {
    point: (item) => tell(data, item),
    choose: (item) => choose(item ? [item] : [], "picture"),
  });

  document.querySelector("#layers tbody").addEventListener("click", ({ target }) => {
    const row = target.closest("tr");
    if (row) {
      choose([Number(row.dataset.item)], "table");
    }
  });

  // A line's boxes: the blocks that it calls, else the layers that it makes.
  const byLine = new Map();
  data.items.forEach((item, index) => {
    placesOf(index).forEach(([file, first, last], depth) => {
      for (let line = first; line <= last; line++) {
        const key = `${file}:${line}`;
        byLine.set(key, byLine.get(key) || { blocks: [], layers: [], inside: [] });
        byLine.get(key)[depth ? "inside" : item.children ? "blocks" : "layers"].push(index);
      }
    });
  });
  panes.source.addEventListener("click", ({ target }) => {
    const line = target.closest("[data-line]");
    const found = line && byLine.get(line.dataset.line);
    if (found) {
      const { blocks, layers, inside } = found;
      choose(blocks.length || layers.length ? [...blocks, ...layers] : inside, "source");
      mark(null, marked, "chosen", [line]);
      marked = [line];
    }
  });
  document.querySelector(".charts")?.addEventListener("click", ({ target }) => {
    if (target.dataset.item) {
      choose([Number(target.dataset.item)], "charts");
    }
  });

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.replaceAll(",", "");
    return text === "" ? 0 : Number.isNaN(Number(text)) ? text : Number(text);
  };
  // The largest numbers first, words and the order of the definition from the beginning.
  function sort(head) {
    const column = head.cellIndex;
    const first = head.classList.contains("r") || column === 3 ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.ariaSort === first ? other : first;
    for (const one of head.parentNode.cells) {
      one.ariaSort = one === head ? order : "none";
    }
    const sign = order === "ascending" ? 1 : -1;
    const keys = new Map(rows.map((row) => [row, valueOf(row, column)]));
    const compared = (a, b) => (a < b ? -sign : a > b ? sign : 0);
    rows.sort((one, two) => compared(keys.get(one), keys.get(two)));
    document.querySelector("#layers tbody").append(...rows);
  }
  for (const head of document.querySelectorAll("#layers thead th")) {
    head.querySelector("button").addEventListener("click", () => sort(head));
  }
}
