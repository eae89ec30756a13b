// Pack pages as the browser does: reads {sources, jobs: [[data, [open items, …]], …]} from standard
// input, writes what each set of open items comes to.
"use strict";

const { sources, jobs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
sources.forEach((source) => require("vm").runInThisContext(source));
const found = jobs.map(([data, sets]) => sets.map((open) => pack(data, new Set(open))));
process.stdout.write(JSON.stringify(found));
