// The lines of an open block, as in lines.py.
"use strict";

// Lines that go over below one row; below a row with more nobody could follow square ones.
const MOST_SQUARE = 1000;

// The height in which a line goes over by a width.
function over(metrics, span) {
  if (span <= metrics.straight) {
    return 0;
  }
  return Math.max(metrics.least, Math.min(metrics.most, span * metrics.slope));
}

function linesOf(inside, x, boxTops, { tops, heights, gaps }) {
  const { metrics, arrangement, child, rowOf } = inside;
  const slanting = obliqueRows(inside, x);
  const lines = [];
  for (const { tensor, above, below, times, start, end } of inside.meetings) {
    const [row, upper, lower] = [rowOf[above], child(above), child(below)];
    const bend = tops[row] + heights[row] + gaps[row].stem;
    const passes = arrangement.nodes[above] === null;
    for (let twin = 0; twin < times; twin++) {
      lines.push({
        tensor,
        x: x[above] + start,
        top: passes ? tops[row] + heights[row] : boxTops[above] + (upper ? upper.height : 0),
        bend,
        end: bend + gaps[row].bend,
        to: x[below] + end + (twin - (times - 1) / 2) * metrics.twin,
        bottom: boxTops[below] + (lower ? 0 : heights[row + 1]),
        arrow: lower !== null && !lower.children.length,
        oblique: slanting.has(row),
      });
    }
  }
  return lines;
}

// The rows below which square lines of unlike tensors would lie on each other.
function obliqueRows({ metrics, meetings, rowOf }, x) {
  const leaving = new Map();
  const entering = new Map();
  const count = (map, slot, at) => map.set(`${slot} ${at}`, (map.get(`${slot} ${at}`) || 0) + 1);
  for (const { above, below, start, end } of meetings) {
    count(leaving, above, start);
    count(entering, below, end);
  }
  const bent = new Map();
  const found = new Set();
  for (const { above, below, start, end } of meetings) {
    const [row, one, other] = [rowOf[above], x[above] + start, x[below] + end];
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    if (high - low <= metrics.straight) {
      continue;
    }
    const others = bent.get(row) || [];
    bent.set(row, others);
    const joined = leaving.get(`${above} ${start}`) > 1 && entering.get(`${below} ${end}`) > 1;
    if (joined || others.length === MOST_SQUARE) {
      found.add(row);
    }
    if (found.has(row)) {
      continue;
    }
    for (const too of others) {
      const leaves = above === too.above && start === too.start;
      const apart = !leaves && !(below === too.below && end === too.end);
      if (apart && low < too.high + metrics.apart && too.low < high + metrics.apart) {
        found.add(row);
      }
    }
    others.push({ low, high, above, below, start, end });
  }
  return found;
}
