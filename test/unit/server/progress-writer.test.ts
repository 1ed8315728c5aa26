import type { IngestResponse } from "@tailkeep/proto";
import { ProgressWriter } from "@tailkeep/server/dist/ack/progress-writer.js";
import type { RejectedEntry } from "@tailkeep/server/dist/record/batch.js";
import { expect, test } from "vitest";

function writer(takes: () => boolean = () => true) {
  const sent: string[] = [];
  const deferred: (() => void)[] = [];
  const sink = {
    send: ({ message }: IngestResponse) => {
      if (message?.$case === "ack") {
        const rejected = message.value.rejected.map(({ seq, reason, field }) => `${seq}/${reason}/${field}`);
        sent.push(["ack", message.value.committedSeq, ...rejected].join(" "));
      } else if (message?.$case === "credit") sent.push(`credit ${message.value.creditBytes}`);
      return takes();
    },
    defer: (work: () => void) => deferred.push(work),
  };
  const runDeferred = () => {
    for (const work of deferred.splice(0)) work();
  };
  return { progress: new ProgressWriter(sink, 10, 1_000), sent, deferred, runDeferred };
}

function refused(seq: number): RejectedEntry {
  return { seq, type: 5, reason: 2, field: "f", message: "m", body: null };
}

test("what happens together is said once, with the newest numbers", () => {
  const { progress, sent, deferred, runDeferred } = writer();
  progress.committed(11, []);
  progress.committed(13, [refused(12)]);
  progress.credit(2_000);
  progress.committed(14, [refused(14)]);
  expect(deferred).toHaveLength(1);
  runDeferred();
  expect(sent).toEqual(["ack 14 12/2/f 14/2/f", "credit 2000"]);
  runDeferred();
  expect(sent).toHaveLength(2);
});

test("nothing goes back", () => {
  const { progress, sent } = writer();
  progress.committed(9, []);
  progress.credit(999);
  expect(progress.flush()).toBe(true);
  expect(sent).toEqual([]);
  progress.committed(20, []);
  progress.committed(15, []);
  progress.flush();
  expect(sent).toEqual(["ack 20"]);
});

test("while the connection is full nothing piles up", () => {
  let takes = false;
  const { progress, sent } = writer(() => takes);
  progress.committed(11, []);
  expect(progress.flush()).toBe(false);
  for (let seq = 12; seq <= 500; seq++) progress.committed(seq, seq % 100 === 0 ? [refused(seq)] : []);
  progress.credit(5_000);
  expect(progress.flush()).toBe(false);
  expect(sent).toEqual(["ack 11"]);
  takes = true;
  progress.writable();
  expect(sent).toEqual(["ack 11", "ack 500 100/2/f 200/2/f 300/2/f 400/2/f 500/2/f", "credit 5000"]);
  expect(progress.flush()).toBe(true);
});

test("a refusal is said even where the number has been said", () => {
  const { progress, sent } = writer();
  progress.committed(10, [refused(10)]);
  progress.flush();
  expect(sent).toEqual(["ack 10 10/2/f"]);
});

test("after the end nothing is sent", () => {
  const { progress, sent, runDeferred } = writer();
  progress.committed(11, []);
  progress.end();
  runDeferred();
  progress.committed(12, []);
  expect(progress.flush()).toBe(true);
  expect(sent).toEqual([]);
});
