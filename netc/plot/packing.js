// How large everything is and where it goes, for the blocks that are open: packing.py and inside.py
// once more, step by step in the same order, so that both come to the same numbers.
"use strict";

// The picture's data (see page.py) as packing takes it: every table looked up.
function planOf(data) {
  return {
    metrics: data.metrics,
    widths: data.widths,
    items: data.items.map((item) => ({
      face: data.faces[item.face],
      title: item.title === undefined ? null : data.titles[item.title],
      children: item.children || [],
      arrangement: item.arrangement === undefined ? null : data.arrangements[item.arrangement],
      labels: item.labels === undefined ? [] : data.labels[item.labels],
      leaving: item.leaving === undefined ? [] : data.labels[item.leaving],
      ports: item.ports === undefined ? [] : data.ports[item.ports],
    })),
  };
}

// Pack a box (at first the network, 0); `open` is the set of blocks that show their inside.
function pack(plan, open, index = 0) {
  const item = plan.items[index];
  if (item.arrangement === null || !open.has(index)) {
    return closed(item, index);
  }
  const children = item.children.map((child) => pack(plan, open, child));
  return opened(insideOf(plan, item, children), index);
}

function closed(item, index) {
  const half = item.face.width / 2;
  const { entering, leaving } = item.arrangement || { entering: [0], leaving: [0] };
  return {
    item: index,
    left: half,
    right: half,
    height: item.face.height,
    ins: spread(entering, half),
    outs: spread(leaving, half),
    children: [],
    lines: [],
    labels: [],
  };
}

function spread(places, half) {
  return places.map((place) => (((place + 1) / (places.length + 1)) * 2 - 1) * half);
}

// What an open block holds: its slots with the room that they need, its lines' ends.
function insideOf(plan, item, children) {
  const arrangement = item.arrangement;
  const child = (slot) => {
    const node = arrangement.nodes[slot];
    return node === null || node >= arrangement.children ? null : children[node];
  };
  const rowOf = [];
  arrangement.rows.forEach((slots, row) => slots.forEach((slot) => (rowOf[slot] = row)));
  const meetings = arrangement.pieces.map(([tensor, above, below, times], piece) => {
    const [out, into] = item.ports[piece];
    const upper = child(above);
    const lower = child(below);
    const start = upper ? upper.outs[out] : 0;
    const end = lower ? lower.ins[into] : 0;
    return { tensor, above, below, times, start, end };
  });
  const labelled = meetings
    .filter(({ tensor, above }) => item.labels[tensor] && child(above))
    .map(({ tensor, above, start }) => ({ slot: above, start, text: item.labels[tensor] }));
  const inside = { metrics: plan.metrics, item, arrangement, child, rowOf, meetings, labelled };
  return { ...inside, extents: extentsOf(inside, plan.widths) };
}

function extentsOf({ metrics, item, arrangement, child, labelled }, widths) {
  const extents = arrangement.nodes.map((_, slot) => {
    const box = child(slot);
    return box ? [box.left, box.right] : [metrics.beside, metrics.beside];
  });
  for (const { slot, start, text } of labelled) {
    extents[slot][1] = Math.max(extents[slot][1], start + metrics.indent + widths[text]);
  }
  if (item.leaving.length > 1) {
    border(arrangement, 1).forEach((slot, port) => {
      extents[slot] = [metrics.beside, metrics.indent + widths[item.leaving[port]]];
    });
  }
  if (item.title && arrangement.entering.length) {
    const first = extents[arrangement.rows[0][0]];
    first[0] = Math.max(first[0], item.title.width - metrics.padding);
  }
  return extents;
}

// The slots at which tensors enter (side 0) or leave (1), in the order of the flows.
function border({ children, entering, leaving, nodes }, side) {
  const first = children + side * entering.length;
  return (side ? leaving : entering).map((_, port) => nodes.indexOf(first + port));
}

// An open block with everything in its place, measured from its axis and its top.
function opened(inside, index) {
  const { metrics, arrangement, extents, child } = inside;
  const lanes = columns(inside);
  const at = arrangement.lanes.map((lane) => lanes[lane]);
  const title = inside.item.title;
  const edge = title ? metrics.padding : metrics.margin;
  const left = at.reduce((low, x, slot) => Math.min(low, x - extents[slot][0]), Infinity) - edge;
  let right = at.reduce((high, x, slot) => Math.max(high, x + extents[slot][1]), -Infinity) + edge;
  if (title) {
    right = Math.max(right, left + title.width);
  }
  const [entering, leaving] = [0, 1].map((side) =>
    border(arrangement, side).map((slot) => at[slot]),
  );
  const axis = arrangement.axis === null ? 0 : at[arrangement.axis];
  const x = at.map((place) => place - axis);
  const rows = rowsOf(inside, x, edge);
  const tops = x.map((_, slot) => {
    const box = child(slot);
    const row = inside.rowOf[slot];
    return rows.tops[row] + (box ? (rows.heights[row] - box.height) / 2 : 0);
  });
  return {
    item: index,
    left: axis - left,
    right: right - axis,
    height: rows.height,
    ins: entering.map((place) => place - axis),
    outs: leaving.map((place) => place - axis),
    children: x
      .map((place, slot) => ({ box: child(slot), x: place, y: tops[slot] }))
      .filter(({ box }) => box),
    lines: linesOf(inside, x, tops, rows),
    labels: labelsOf(inside, x, tops),
  };
}

function rowsOf(inside, x, edge) {
  const { metrics, arrangement, child } = inside;
  const title = inside.item.title;
  const heights = arrangement.rows.map((slots) =>
    slots.reduce((most, slot) => Math.max(most, child(slot) ? child(slot).height : 0), 0),
  );
  let top = title ? edge + title.height : edge;
  if (title && arrangement.entering.length) {
    top = 0;
    heights[0] = title.height;
  }
  const gaps = gapsOf(inside, x);
  const tops = heights.map((height, row) => {
    const here = top;
    top += height + gaps[row].stem + gaps[row].bend + metrics.tip;
    return here;
  });
  const ends = !title || !arrangement.leaving.length;
  const last = heights.length - 1;
  return { tops, heights, gaps, height: tops[last] + heights[last] + (ends ? edge : 0) };
}

function gapsOf({ metrics, arrangement, labelled, meetings, rowOf }, x) {
  const gaps = arrangement.rows.map(() => ({ stem: metrics.stub, span: 0 }));
  for (const { slot } of labelled) {
    gaps[rowOf[slot]].stem = metrics.label;
  }
  for (const { above, below, times, start, end } of meetings) {
    const gap = gaps[rowOf[above]];
    const span = times > 1 ? metrics.twin : Math.abs(x[above] + start - x[below] - end);
    gap.span = Math.max(gap.span, span);
  }
  return gaps.map(({ stem, span }) => ({ stem, bend: over(metrics, span) }));
}

function labelsOf({ metrics, child, labelled }, x, tops) {
  const found = new Map();
  for (const { slot, start, text } of labelled) {
    const key = `${slot} ${start}`;
    if (!found.has(key)) {
      const y = tops[slot] + child(slot).height + metrics.label - metrics.drop;
      found.set(key, { x: x[slot] + start + metrics.indent, y, text });
    }
  }
  return [...found.values()];
}
