// Pack pages as the browser does: reads {packing, jobs: [[data, [open items, …]], …]} from standard
// input, writes what each set of open items comes to.
"use strict";

const { packing, jobs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { planOf, pack } = require(packing);
const found = jobs.map(([data, sets]) => {
  const plan = planOf(data);
  return sets.map((open) => pack(plan, new Set(open)));
});
process.stdout.write(JSON.stringify(found));
