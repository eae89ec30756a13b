// Where everything goes for the blocks that are open: each block as Python laid it out with all that
// it holds closed (layout.py), its lanes and rows moved apart by what has grown in them.
"use strict";

// A box (at first the network, 0) with its size from its axis and its top, and what it holds.
function pack(data, open, index = 0) {
  const item = data.items[index];
  if (item.layout === undefined || !open.has(index)) {
    return closed(data, item, index);
  }
  const children = item.children.map((child) => pack(data, open, child));
  return moved(data.metrics, data.layouts[item.layout], children, index);
}

function closed(data, item, index) {
  const face = data.faces[item.face];
  const half = face.width / 2;
  const spread = (places) =>
    places.map((place) => (((place + 1) / (places.length + 1)) * 2 - 1) * half);
  const [ins, outs] = item.ports === undefined ? [[0], [0]] : data.ports[item.ports];
  const sides = { item: index, left: half, right: half, height: face.height };
  return { ...sides, ins: spread(ins), outs: spread(outs), children: [], lines: [], labels: [] };
}

function moved(metrics, layout, children, index) {
  const rows = layout.rows.map(([top, height, stem, bend, oblique]) => ({
    top, height, grown: height, stem, bend, oblique: oblique === 1,
  }));
  const slots = layout.slots.map(([child, row, x, left, right]) => ({
    box: child < 0 ? null : children[child], row, x, left, right,
  }));
  const columns = new Map(); // by their x, so that what stands left of another stays there
  for (const { x } of [...slots].sort((one, other) => one.x - other.x)) {
    columns.set(x, { left: 0, right: 0, shift: 0 });
  }
  const widen = ({ x, left, right }, toLeft, toRight) => {
    const column = columns.get(x);
    column.left = Math.max(column.left, toLeft - left);
    column.right = Math.max(column.right, toRight - right);
  };
  for (const slot of slots.filter(({ box }) => box)) {
    widen(slot, slot.box.left, slot.box.right);
    rows[slot.row].grown = Math.max(rows[slot.row].grown, slot.box.height);
  }
  for (const [at, port, , width] of layout.labels) {
    widen(slots[at], 0, slots[at].box.outs[port] + metrics.indent + width);
  }
  let wider = 0;
  for (const column of columns.values()) {
    wider += column.left;
    column.shift = wider;
    wider += column.right;
  }
  let taller = 0;
  for (const row of rows) {
    row.top += taller;
    taller += row.grown - row.height;
  }
  const before = columns.get(0)?.shift ?? 0; // what crosses the border first stands at 0
  for (const slot of slots) {
    const { top, grown } = rows[slot.row];
    slot.x += columns.get(slot.x).shift - before;
    slot.top = top + (slot.box ? (grown - slot.box.height) / 2 : 0);
    slot.bottom = slot.box ? slot.top + slot.box.height : top + grown;
  }
  for (const slot of layout.ins) {
    slots[slot].bottom = slots[slot].top; // a tensor comes in at the border, above the title
  }
  return {
    item: index,
    left: layout.left + before,
    right: layout.right + wider - before,
    height: layout.height + taller,
    ins: layout.ins.map((slot) => slots[slot].x),
    outs: layout.outs.map((slot) => slots[slot].x),
    children: slots.filter(({ box }) => box).map(({ box, x, top }) => ({ box, x, y: top })),
    lines: layout.lines.flatMap((line) => linesOf(metrics, rows, slots, line)),
    labels: layout.labels.map(([at, port, text]) => ({
      x: slots[at].x + slots[at].box.outs[port] + metrics.indent,
      y: slots[at].bottom + metrics.label - metrics.drop,
      text,
    })),
  };
}

// A piece of line as in `Segment`, twice where a layer takes a tensor twice.
function linesOf(metrics, rows, slots, [above, below, times, out, into]) {
  const [upper, lower] = [slots[above], slots[below]];
  const row = rows[upper.row];
  const bend = row.top + row.grown + row.stem;
  const end = lower.x + (lower.box ? lower.box.ins[into] : 0);
  return Array.from({ length: times }, (_, twin) => ({
    x: upper.x + (upper.box ? upper.box.outs[out] : 0),
    top: upper.bottom,
    bend,
    end: bend + row.bend,
    to: end + (twin - (times - 1) / 2) * metrics.twin,
    bottom: lower.box ? lower.top : lower.bottom,
    arrow: lower.box !== null && lower.box.children.length === 0,
    oblique: row.oblique || apart(upper.box, "outs") || apart(lower.box, "ins"),
  }));
}

// Whether lines at a box may come to lie on others: it is open, so that its several ends moved.
const apart = (box, ends) => box !== null && box.children.length > 0 && box[ends].length > 1;
