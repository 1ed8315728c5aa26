// Bundles the dashboard into server/dist/dashboard, compressed beforehand. Does nothing where nothing has changed.
//
// The server's users run what this made; none of it is loaded from elsewhere, neither now nor in the browser.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "..", "dist", "dashboard");
const STAMP = join(OUT, ".built-from");

/** Returns whether there was something to do. */
export async function buildDashboard() {
  const wanted = sourceHash();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return false;
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: HERE,
    logLevel: "warn",
    build: {
      outDir: OUT,
      emptyOutDir: true,
      target: "es2022",
      // The policy of the pages allows no script and no style but files of this server.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  for (const name of readdirSync(OUT, { recursive: true, encoding: "utf8" })) {
    if (![".html", ".js", ".css", ".svg"].includes(extname(name))) continue;
    const path = join(OUT, name);
    const plain = readFileSync(path);
    const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: quality }));
    writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
  }
  writeFileSync(STAMP, wanted);
  return true;
}

/** Versions of the libraries are exact in package.json, so it stands for them. */
function sourceHash() {
  const hash = createHash("sha256");
  const sources = readdirSync(join(HERE, "src"), { recursive: true, encoding: "utf8" }).sort();
  const names = ["build.js", "index.html", "tsconfig.json", "../package.json", ...sources.map((name) => `src/${name}`)];
  for (const name of names) {
    if (extname(name) !== "") hash.update(name).update(readFileSync(join(HERE, name)));
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (await buildDashboard()) console.error("dashboard: built");
}
