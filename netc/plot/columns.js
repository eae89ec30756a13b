// The x of each lane of an open block, as in columns.py.
"use strict";

// The x of each lane: as narrow as can be, then as near as can be to what it is joined with.
function columns(inside) {
  const { metrics, extents } = inside;
  const { lanes, pulls, rows } = inside.arrangement;
  const before = pulls.map(() => []);
  const after = pulls.map(() => []);
  const least = pulls.map(() => 0);
  const room = pulls.map(() => 0);
  lanes.forEach((lane, slot) => {
    least[lane] = Math.max(least[lane], extents[slot][0]);
    room[lane] = Math.max(room[lane], extents[slot][1]);
  });
  for (const row of rows) {
    for (let place = 1; place < row.length; place++) {
      const [slot, beside] = [row[place - 1], row[place]];
      const apart = extents[slot][1] + metrics.apart + extents[beside][0];
      after[lanes[slot]].push([lanes[beside], apart]);
      before[lanes[beside]].push([lanes[slot], apart]);
    }
  }
  const rightOf = (x, lane, from) =>
    before[lane].reduce((low, [other, by]) => Math.max(low, x[other] + by), from);
  const leftOf = (x, lane, from) =>
    after[lane].reduce((high, [other, by]) => Math.min(high, x[other] - by), from);
  const onwards = [...pulls.keys()];
  const backwards = [...onwards].reverse();
  for (const lane of onwards) {
    least[lane] = rightOf(least, lane, least[lane]);
  }
  const width = least.reduce((most, low, lane) => Math.max(most, low + room[lane]), 0);
  const most = room.map((extent) => width - extent);
  for (const lane of backwards) {
    most[lane] = leftOf(most, lane, most[lane]);
  }
  const x = least.map((low, lane) => (low + most[lane]) / 2);
  for (let sweep = 0; sweep < metrics.sweeps; sweep++) {
    for (const lane of sweep % 2 === 0 ? onwards : backwards) {
      const low = rightOf(x, lane, least[lane]);
      const high = leftOf(x, lane, most[lane]);
      x[lane] = Math.max(low, Math.min(high, wish(inside, lane, x)));
    }
  }
  return x;
}

function wish({ arrangement, meetings }, lane, x) {
  const pulls = arrangement.pulls[lane];
  if (!pulls.length) {
    return x[lane];
  }
  let total = 0;
  for (const [piece, isLower] of pulls) {
    const { above, below, start, end } = meetings[piece];
    total += isLower
      ? x[arrangement.lanes[above]] + start - end
      : x[arrangement.lanes[below]] + end - start;
  }
  return total / pulls.length;
}
