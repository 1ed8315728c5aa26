// Writes client/docs/api.md from the docstrings of what @tailkeep/client exports.
// With --check: fails when the committed page is not what would be written. Either way it fails for an export or a method
// without a docstring, and for a type that a signature names and users cannot import.
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { GROUPS, groupOf } from "./groups.js";
import { page, slug } from "./markdown.js";
import { withPublicApi } from "./public-api.js";

const DIST = fileURLToPath(new URL("../../client/dist/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../client/docs/api.md", import.meta.url));
const PROMETHEUS = {
  title: "Metrics with prom-client",
  about: '`import ... from "@tailkeep/client/prometheus"`, where prom-client is installed.',
};
const INTRO = `What \`@tailkeep/client\` exports, from its docstrings (\`npm run docs\` writes this page). The README says how it goes
together. \`@tailkeep/client/internals\` is not promised to stay, and not here.`;

const [main, prometheus] = withPublicApi((api) => [
  api.exportsOf(`${DIST}index.d.ts`).map(placed),
  api.exportsOf(`${DIST}metrics/registry.d.ts`).map(placed),
]);
const all = [...main, ...prometheus];
const known = new Set(all.map(({ name }) => name));
for (const each of all) each.members = each.members.filter((member) => !isOwnConstructor(member));
const faults = [...all.flatMap(undocumented), ...unexported(), ...ambiguous()];
const groups = GROUPS.map((group) => ({ ...group, exports: main.filter(({ folder }) => groupOf(folder) === group) }));
const written = page({
  title: "The API of @tailkeep/client",
  intro: INTRO,
  groups: [...groups.filter(({ exports }) => exports.length > 0), { ...PROMETHEUS, exports: prometheus }],
  names: all.map(({ name }) => name),
});

if (!process.argv.includes("--check")) writeFileSync(PAGE, written);
else if (committed() !== written)
  faults.push("client/docs/api.md is not current; run: npm run docs, and commit the result");
for (const fault of faults) console.error(`docs: ${fault}`);
if (faults.length === 0) console.log(`docs: client/docs/api.md is current (${all.length} exports)`);
process.exitCode = faults.length === 0 ? 0 : 1;

function placed(each) {
  const path = relative(DIST, each.file).replace(/\.d\.ts$/, "");
  return { ...each, path, folder: path.split("/")[0] };
}

/** One that only this package can call, since it takes what is not exported. */
function isOwnConstructor({ kind, names }) {
  return kind === "constructor" && names.some(isUnexported);
}

function isUnexported({ name, file }) {
  return file.startsWith(DIST) && !known.has(name);
}

function committed() {
  try {
    return readFileSync(PAGE, "utf8");
  } catch {
    return undefined;
  }
}

function undocumented({ name, path, kind, doc, members }) {
  const where = `client/src/${path}.ts`;
  const methods = members.filter(
    (member) => member.kind === "method" && kind === "class" && !member.name.startsWith("["),
  );
  return [
    ...(doc === "" ? [`${name} has no docstring (${where})`] : []),
    ...methods
      .filter((method) => method.doc === "")
      .map((method) => `${name}.${method.name} has no docstring (${where})`),
  ];
}

function unexported() {
  const missing = all.flatMap(({ name, names, members }) =>
    [...names, ...members.flatMap((member) => member.names)]
      .filter(isUnexported)
      // What the compiler names by itself: the expression that a class extends.
      .filter((named) => !named.name.endsWith("_base"))
      .map((named) => `${name} names ${named.name}, which is not exported`),
  );
  return [...new Set(missing)];
}

/** Two headings of one anchor: links would lead to the first. */
function ambiguous() {
  const titles = [...GROUPS.map(({ title }) => title), PROMETHEUS.title, ...all.map(({ name }) => name)];
  const seen = new Set();
  return titles.flatMap((title) => {
    const isNew = !seen.has(slug(title));
    seen.add(slug(title));
    return isNew
      ? []
      : [`two headings have the anchor #${slug(title)}: name one of them otherwise in deploy/docs/groups.js`];
  });
}
