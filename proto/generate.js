// Generates src/gen from tailkeep/v1/*.proto, and the descriptor that server reflection serves.
// With --check: fails when what is committed is not what would be generated, or breaks the wire format of the last
// release (breaking/tailkeep-v1.binpb).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const bin = join(here, "..", "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
const buf = (...args) => execFileSync(join(bin, "buf"), args, { cwd: here, env, stdio: "inherit" });

/** Every generated file below `dir`, by relative name. */
function contents(dir) {
  const found = new Map();
  const files = [join(dir, "descriptor.binpb")];
  const gen = join(dir, "src", "gen");
  if (existsSync(gen)) {
    for (const name of readdirSync(gen, { recursive: true })) {
      if (name.endsWith(".ts")) files.push(join(gen, name));
    }
  }
  for (const file of files) {
    if (existsSync(file)) found.set(file.slice(dir.length), readFileSync(file));
  }
  return found;
}

function generate() {
  buf("generate", ".");
  buf("build", ".", "-o", "descriptor.binpb", "--as-file-descriptor-set");
}

if (process.argv.includes("--check")) {
  buf("breaking", ".", "--against", "breaking/tailkeep-v1.binpb");
  const kept = mkdtempSync(join(tmpdir(), "tailkeep-gen-"));
  try {
    cpSync(join(here, "src"), join(kept, "src"), { recursive: true });
    cpSync(join(here, "descriptor.binpb"), join(kept, "descriptor.binpb"));
    const before = contents(kept.endsWith("/") ? kept : `${kept}/`);
    generate();
    const after = contents(here);
    const names = new Set([...before.keys(), ...after.keys()]);
    const stale = [...names].filter((name) => !before.get(name)?.equals(after.get(name) ?? Buffer.alloc(0)));
    if (stale.length > 0) {
      console.error(`generated code is not current: ${stale.join(", ")}\nrun: npm run gen, and commit the result`);
      process.exit(1);
    }
    console.log(`generated code is current (${names.size} files), the wire format is compatible`);
  } finally {
    rmSync(kept, { recursive: true, force: true });
  }
} else {
  generate();
}
