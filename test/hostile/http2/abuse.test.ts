// HTTP/2 as no proper client speaks it, against the server as users run it. Whatever a connection tries: the server stays
// up, a neighbour's records are acked meanwhile, and one connection costs at most its 16 MiB.
import { setTimeout as sleep } from "node:timers/promises";
import { CONNECTION_BYTES_MAX, FIRST_REQUEST_MS_MAX, RESIDENT_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { logProblems } from "../log-lines.js";
import { ATTACKS, READERS } from "./attacks.js";
import { FLAG, frame, RawConnection, requestHead, TYPE } from "./raw-connection.js";
import { Victim } from "./victim.js";

/** Enough that what V8 takes once, whoever asks, is a small part of each. */
const ATTACKERS = 8;
const READING_NOTHING = 4;
const ATTACK_MS = 400;
/** A neighbour shares two cores with the attackers; what it must not see is a server that is gone. */
const ACK_MS_MAX = 10_000;

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
});
afterAll(async () => {
  await victim.stop();
});

describe.runIf(process.platform === "linux")("a connection costs little that sends", () => {
  test.each(ATTACKS)("$name", async (attack) => {
    // A heap that grows for the first time keeps room for the second: that is not what a connection costs.
    await victim.attackedBy(attack, ATTACKERS, ATTACK_MS);
    const damage = await victim.attackedBy(attack, ATTACKERS, ATTACK_MS);
    expect(damage.alive).toBe(true);
    expect(damage.acks).toBeGreaterThan(0);
    expect(damage.slowestAckMs).toBeLessThan(ACK_MS_MAX);
    expect(damage.riseBytes / ATTACKERS).toBeLessThan(CONNECTION_BYTES_MAX);
    expect(await victim.neighbourIsWhole()).toBe(true);
  });

  // Theirs is not the memory of a stranger: they have asked for what they may read.
  test.each(READERS)("$name", async (attack) => {
    const damage = await victim.attackedBy(attack, READING_NOTHING, ATTACK_MS);
    expect(damage.alive).toBe(true);
    expect(damage.acks).toBeGreaterThan(0);
    expect(damage.slowestAckMs).toBeLessThan(ACK_MS_MAX);
    expect(victim.residentBytes()).toBeLessThan(RESIDENT_BYTES_MAX);
    expect(await victim.neighbourIsWhole()).toBe(true);
  });
});

test("connections that make no request are closed after ten seconds, and one that does is not", async () => {
  const address = victim.server.grpcAddress;
  const silent = await RawConnection.silent(address);
  const halfPreface = await RawConnection.silent(address);
  await halfPreface.write(Buffer.from("PRI * HTTP/2.0\r\n"));
  const prefaceOnly = await RawConnection.open(address);
  const halfHeaders = await RawConnection.open(address);
  await halfHeaders.write(frame(TYPE.headers, 0, 1, requestHead("/grpc.health.v1.Health/Watch")));
  const pinging = await RawConnection.open(address);
  const asking = await RawConnection.open(address);
  await asking.write(frame(TYPE.headers, FLAG.endHeaders, 1, requestHead("/grpc.health.v1.Health/Watch")));
  const untilMs = performance.now() + FIRST_REQUEST_MS_MAX + 4_000;
  while (performance.now() < untilMs) {
    await pinging.write(frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
    await sleep(500);
  }
  expect([silent, halfPreface, prefaceOnly, halfHeaders, pinging].map(({ closed }) => closed)).toEqual(
    new Array(5).fill(true),
  );
  expect(asking.closed).toBe(false);
  asking.end();
});

test("connections beyond the limit of an address are closed at once, and those before it go on", async () => {
  const crowded = await Victim.start({ TAILKEEP_CONNECTIONS_PER_ADDRESS_MAX: "100" });
  try {
    const many = await Promise.all(Array.from({ length: 400 }, () => RawConnection.silent(crowded.server.grpcAddress)));
    await expect.poll(() => many.filter(({ closed }) => !closed).length, { timeout: 5_000 }).toBeLessThanOrEqual(100);
    expect(many.filter(({ closed }) => !closed).length).toBeGreaterThan(90);
    expect(await crowded.neighbourAppends()).toBe(true);
    for (const connection of many) connection.end();
    await expect
      .poll(async () => {
        const connection = await RawConnection.open(crowded.server.grpcAddress);
        await sleep(100);
        connection.end();
        return connection.frames().length > 0;
      })
      .toBe(true);
  } finally {
    await crowded.stop();
  }
});

test("what was logged meanwhile is JSON, line by line, and no error of the server's own", () => {
  expect(logProblems(victim.server.output)).toEqual([]);
});
