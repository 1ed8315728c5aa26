import fc from "fast-check";
import { expect, test } from "vitest";
import { openText, sealText } from "../../../client/src/state-store/checked-text.js";

const whole = Buffer.from(sealText(JSON.stringify({ name: "ä/語", value: [1, { x: "}" }] })));

test("what was sealed is opened, and the whole is JSON", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const body = JSON.stringify(JSON.parse(json));
      const text = sealText(body);
      expect(openText(Buffer.from(text))).toEqual({ body });
      expect(JSON.parse(text)).toHaveProperty("document", JSON.parse(body));
    }),
  );
});

test("cut at any byte, it is not taken for whole", () => {
  for (let bytes = 0; bytes < whole.length; bytes++) {
    expect(openText(whole.subarray(0, bytes)), `${bytes} bytes`).toHaveProperty("wrong");
  }
});

test("with any byte changed, zeroed or followed by more, it is not taken for whole", () => {
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0, 0x20, (whole[at] as number) ^ 1]) {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      if (!changed.equals(whole)) expect(openText(changed), `byte ${at}`).toHaveProperty("wrong");
    }
  }
  expect(openText(Buffer.concat([whole, Buffer.from("\n")]))).toHaveProperty("wrong");
});

test("it says whether a file is torn or foreign", () => {
  expect(openText(Buffer.from(""))).toEqual({ wrong: "is empty" });
  expect(openText(Buffer.from('{"total_sessions": 3}'))).toEqual({ wrong: "was not written by a state store" });
  expect(openText(whole.subarray(0, 9))).toEqual({ wrong: "is cut off" });
  expect(openText(whole.subarray(0, -1))).toEqual({ wrong: "is cut off" });
});
