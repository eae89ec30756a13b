// Pack pages as the browser does: reads {sources, jobs: [[data, [open items, …]], …]} from standard
// input, writes what each set of open items comes to.
"use strict";

const { sources, jobs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
sources.forEach((source) => require("vm").runInThisContext(source));
const found = jobs.map(([data, sets]) => {
  const plan = planOf(data);
  return sets.map((open) => pack(plan, new Set(open)));
});
process.stdout.write(JSON.stringify(found));
