// What the fuzzing of keys found: whoever gave the secret where the id belongs read it again in the error.
import { KeyRole } from "@tailkeep/proto";
import { expect, test } from "vitest";
import { oneServer } from "../../../support/grpc/one-server.js";
import { Stubs } from "../../../support/grpc/stubs.js";

const running = oneServer();

test("an error does not repeat a secret that was given as an id, nor a part of it", async () => {
  const { server, stubs } = running();
  const { secret, key } = await stubs.call("createKey", { roles: [KeyRole.ADMIN] });
  const admin = new Stubs(server.grpcAddr, { authorization: `Bearer ${secret}` });
  try {
    for (const method of ["rotateKey", "revokeKey"] as const) {
      for (const keyId of [secret, secret.slice(1), secret.slice(-43), ` ${secret}`]) {
        const ending = await admin.ending(method, { keyId });
        expect(ending).toMatchObject({ status: "NOT_FOUND", message: expect.stringContaining("tk_<id>_<secret>") });
        expect(ending.message).not.toContain(secret.slice(-40));
      }
      const other = await admin.ending(method, { keyId: "a".repeat(12) });
      expect(other.message).toContain("there is no live key aaaaaaaaaaaa");
    }
    expect((await admin.call("listKeys", {})).keys).toMatchObject([{ keyId: key?.keyId, revokedAtUs: undefined }]);
  } finally {
    admin.close();
  }
});
