// Writes the page: a heading for each export, its declaration, what its docstrings say, and its members.

/** One page of `groups`, each with the exports of it. `names` are all that have a heading, for links to them. */
export function page({ title, intro, groups, names }) {
  const link = linker(names);
  const contents = groups.map((group) => `- [${group.title}](#${slug(group.title)}): ${namesOf(group)}`);
  const sections = groups.map((group) => [
    `## ${group.title}`,
    group.about,
    ...group.exports.map((each) => section(each, link)),
  ]);
  return `${[`# ${title}`, intro, contents.join("\n"), ...sections.flat()].join("\n\n")}\n`;
}

function namesOf({ exports }) {
  return exports.map(({ name }) => `[\`${name}\`](#${slug(name)})`).join(", ");
}

function section(each, link) {
  const parts = [`### \`${each.name}\``, prose(each.doc, link)];
  const hasMembers = (each.kind === "class" || each.kind === "interface") && each.members.length > 0;
  for (const text of each.texts) parts.push(code(hasMembers || each.kind === "class" ? head(text) : declaration(text)));
  for (const [name, text] of Object.entries(each.params)) parts.push(`- \`${name}\`: ${oneLine(text, link)}`);
  if (each.tags.default !== undefined) parts.push(`Default: ${value(each.tags.default)}.`);
  if (each.tags.throws !== undefined) parts.push(`Throws ${oneLine(each.tags.throws, link)}`);
  if (hasMembers) parts.push(each.kind === "interface" ? table(each.members, link) : list(each.members, link));
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Fields beside their defaults; the column of defaults only where there is one. */
function table(members, link) {
  const hasDefaults = members.some(({ tags }) => tags.default !== undefined);
  const rows = members.map((member) => {
    const { name, type } = field(member.text);
    const cells = [`\`${name}\``, `\`${type}\``, ...(hasDefaults ? [value(member.tags.default ?? "")] : [])];
    return [...cells, oneLine(member.doc, link)];
  });
  const header = ["field", "type", ...(hasDefaults ? ["default"] : []), "meaning"];
  return [header, header.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

function list(members, link) {
  return members
    .map(({ text, doc, tags }) => {
      const says = [doc === "" ? "" : oneLine(doc, link)];
      if (tags.default !== undefined) says.push(`Default: ${value(tags.default)}.`);
      if (tags.throws !== undefined) says.push(`Throws ${oneLine(tags.throws, link)}`);
      const words = says.filter((part) => part !== "").join(" ");
      return `- \`${squeeze(text)}\`${words === "" ? "" : `<br>${words}`}`;
    })
    .join("\n");
}

/** Name and type of an interface's member, without what every option has in common. */
function field(text) {
  const whole = squeeze(text).replace(/^readonly /, "");
  const method = /^([^(:]+)(\(.*\)): (.*)$/.exec(whole);
  if (method !== null && !method[1].includes("?"))
    return { name: `${method[1]}()`, type: `${method[2]} => ${method[3]}` };
  const [, name, type] = /^(\[[^\]]*\]|[^:]+): (.*)$/.exec(whole) ?? [undefined, whole, ""];
  return { name, type: name.endsWith("?") ? type.replace(/ \| undefined$/, "").replace(/^\((.*)\)$/, "$1") : type };
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}

function declaration(text) {
  return text
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replace(/;$/, "")
    .replaceAll(/ \n/g, "\n");
}

/** A class or an interface without its body. */
function head(text) {
  return squeeze(declaration(text).slice(0, declaration(text).indexOf("{")));
}

function squeeze(text) {
  return text
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Paragraphs, lists and examples as they are written; lines are joined by whoever shows them. */
function prose(text, link) {
  const parts = text.split(/(```[\s\S]*?```)/);
  return parts
    .map((part) => (part.startsWith("```") ? part : link(part)))
    .join("")
    .trim();
}

function oneLine(text, link) {
  return link(
    text
      .trim()
      .replaceAll(/\n(?=- )/g, "<br>")
      .replaceAll(/\s*\n\s*/g, " "),
  );
}

/** A default: code where it looks like a value, words where it is words. */
function value(text) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return /^("[^"]*"|-?[\d,]+|true|false|undefined|\{[^}]*\})$/.test(line) ? `\`${line}\`` : line;
}

/** Turns names of exports into links: in code, and bare where a name is no word (`RecorderOptions`, not `Recorder`). */
function linker(names) {
  const known = new Set(names);
  return (text) =>
    text.replaceAll(/`[^`]*`|\b[A-Z][a-z]+(?:[A-Z]\w*)+\b/g, (found) => {
      const name = /^`?(\w+)(?:\.\w+)?(?:\(\))?`?$/.exec(found)?.[1];
      return name !== undefined && known.has(name) ? `[${found}](#${slug(name)})` : found;
    });
}

/** The anchor that GitHub gives a heading. */
export function slug(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
