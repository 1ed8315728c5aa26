/** Values that have broken other programs, by the type of the field that they are for. */
import fc from "fast-check";

export const HOSTILE_TEXTS: readonly string[] = [
  "",
  " ",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "'; DROP TABLE sessions; --",
  '" OR ""="',
  "\\'; DELETE FROM streams; #",
  "1); ATTACH DATABASE '/tmp/x' AS x; --",
  "\u0000",
  "a\u0000b",
  '\r\n{"level":60,"msg":"forged"}\r\n',
  "\n# HELP tailkeep_forged x\ntailkeep_forged 1\n",
  "\u001b[2J\u001b]0;owned\u0007",
  "\u202eevil\u2066",
  "\u2028\u2029\ufeff",
  "%s%s%s%n%x",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what it looks like
  "${jndi:ldap://127.0.0.1/x}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "../../../../etc/passwd",
  "C:\\Windows\\..\\x",
  "file:///etc/passwd",
  "\ufffd",
  "😀",
  "\u{10ffff}",
  "e\u0301".repeat(60),
  "x".repeat(128),
  "x".repeat(129),
  "😀".repeat(128),
  `${"x".repeat(63)}😀😀`,
  "語".repeat(5_000),
  "NaN",
  "null",
  "undefined",
  "-0",
];

/** Ids that most calls share, so that they meet what others have written. */
const SHARED_IDS = ["fuzz-1", "fuzz-2", "fuzz-3", "ls20", "it's", "a\\b", "%", "_"];

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 140 }),
);

export const id = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...SHARED_IDS) },
  { weight: 1, arbitrary: hostileText },
);

/** Names of series, most of them of every type that has metadata. */
export const series = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom("score", "metadata.a", "metadata.__proto__") },
  { weight: 1, arbitrary: fc.oneof(hostileText, fc.constantFrom("metadata", "metadata.", "time")) },
);

/** What series may run along. */
export const axis = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("", "time", "seq") },
  { weight: 1, arbitrary: series },
);

/** Days, none of them one that anything could be stored by. */
export const day = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("1970-01-01", "2020-02-29", "2021-02-29", "9999-12-31", "2020-1-1") },
  { weight: 1, arbitrary: hostileText },
);

export const text = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 20 }) },
  { weight: 1, arbitrary: hostileText },
);

const deep = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

export const json = fc.oneof(
  { weight: 30, arbitrary: fc.json({ maxDepth: 4 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "{",
      "{}}",
      "NaN",
      "[1,]",
      "'x'",
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      '{"a":1,"a":2}',
      '"\\ud800"',
      '"\ud83d\\ude00"',
      '{"a": 😀',
      "1e999",
      `[${"9".repeat(400)}]`,
      deep(64, "[", "]"),
      deep(65, "[", "]"),
      deep(20_000, "[", "]"),
      deep(5_000, '{"a":', "}"),
      `"${"x".repeat(262_142)}"`,
      `"${"x".repeat(262_143)}"`,
    ),
  },
);

export const token = fc.oneof(
  { weight: 20, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.base64String({ maxLength: 60 }),
      fc.json({ maxDepth: 1 }).map((value) => Buffer.from(value).toString("base64url")),
      hostileText,
    ),
  },
);

export const int = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 8 }).map(BigInt) },
  { weight: 4, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      -1n,
      100n,
      1_000n,
      1_001n,
      2n ** 31n - 1n,
      -(2n ** 31n),
      2n ** 31n,
      2n ** 32n,
      2n ** 53n - 1n,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ),
  },
);

export const double = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 1.7976931348623157e308),
);
