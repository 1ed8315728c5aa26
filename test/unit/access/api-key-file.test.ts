// A client's key: read again when its file changes, and never shown by what is printed.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { connect } from "@tailkeep/client";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../support/in-process-server.js";

test("a key from a file is the newest one in it, and the one before while there is none", async () => {
  const folder = await temporaryFolder();
  const apiKeyFile = join(folder.path, "key");
  writeFileSync(apiKeyFile, "tk_first_secret\n");
  const client = connect({ apiKeyFile });
  try {
    const key = () => client.options.apiKey?.current;
    expect(key()).toBe("tk_first_secret");
    writeFileSync(apiKeyFile, "tk_second_secret");
    await expect.poll(key, { timeout: 10_000 }).toBe("tk_second_secret");
    rmSync(apiKeyFile);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(key()).toBe("tk_second_secret");
  } finally {
    await client.close();
    await folder.remove();
  }
});

test("no form of the options shows it", async () => {
  const client = connect({ apiKey: "tk_id_canary" });
  const shown = `${JSON.stringify(client.options)} ${inspect(client.options, { depth: 9, showHidden: true })}`;
  expect(shown).not.toContain("canary");
  expect(client.options.apiKey?.current).toBe("tk_id_canary");
  await client.close();
});
