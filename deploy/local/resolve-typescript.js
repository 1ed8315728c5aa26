// Lets a TypeScript file be run as it is. Node strips the types but takes import specifiers literally, while TypeScript
// writes `./name.js` for a file that is `name.ts` until it is compiled; where only the latter exists, it is meant.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL?.endsWith(".ts")) {
      const asWritten = new URL(specifier, context.parentURL);
      const source = `${specifier.slice(0, -".js".length)}.ts`;
      if (!existsSync(fileURLToPath(asWritten))) return nextResolve(source, context);
    }
    return nextResolve(specifier, context);
  },
});
