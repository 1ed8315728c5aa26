/** Messages of every method: well-formed bytes whose values are anything but well-meant. */
import fc from "fast-check";
import { axis, day, double, id, int, json, series, text, token } from "./hostile-values.js";
import { type FieldShape, METHODS, type MessageShape, type Method, messageNamed, messageOf } from "./methods.js";
import { bytesField, doubleField, varintField } from "./wire.js";

/** One input: a method, and the messages that one call of it sends. */
export interface Input {
  readonly method: Method;
  readonly messages: readonly Buffer[];
}

const DEPTH_MAX = 6;
const NOTHING = fc.constant(Buffer.alloc(0));

/** Types of records, and causes of gaps that a writer may give. */
const enumNumber = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 2, max: 4 }).map(BigInt) },
  { weight: 1, arbitrary: int },
);

function stringOf({ name }: FieldShape): fc.Arbitrary<string> {
  if (name.endsWith("_json")) return json;
  if (name === "page_token") return token;
  if (name === "column") return series;
  if (name === "x") return axis;
  if (name === "day") return day;
  return /(_id|^name|^key|^prefix|^reset)$/.test(name) ? id : text;
}

/** One value of a field, as it stands in its message. */
function oneValue(field: FieldShape, within: MessageShape, depth: number): fc.Arbitrary<Buffer> {
  const { number, type } = field;
  switch (type) {
    case "TYPE_STRING":
      return stringOf(field).map((value) => bytesField(number, Buffer.from(value)));
    case "TYPE_BYTES":
      return fc.uint8Array({ maxLength: 40 }).map((value) => bytesField(number, value));
    case "TYPE_DOUBLE":
      return double.map((value) => doubleField(number, value));
    case "TYPE_BOOL":
      return fc.boolean().map((value) => varintField(number, value ? 1n : 0n));
    case "TYPE_MESSAGE":
      return depth > DEPTH_MAX
        ? NOTHING
        : messageBytes(messageOf(field, within), depth + 1).map((bytes) => bytesField(number, bytes));
    case "TYPE_ENUM":
      return enumNumber.map((value) => varintField(number, value));
    default:
      return int.map((value) => varintField(number, value));
  }
}

function fieldBytes(field: FieldShape, within: MessageShape, depth: number): fc.Arbitrary<Buffer> {
  const value = oneValue(field, within, depth);
  if (field.label === "LABEL_REPEATED") {
    return fc.array(value, { maxLength: depth > 2 ? 2 : 5 }).map((values) => Buffer.concat(values));
  }
  // What a message is about is nearly always there; else hardly any would be taken.
  const weight = /(_id|^name|^batch|_seq|^column)$/.test(field.name) ? 30 : 5;
  // Ends of a range that are any two numbers are mostly the wrong way round.
  const isEnd = /^(from|to)$/.test(field.name);
  return fc.oneof({ weight: isEnd ? 1 : weight, arbitrary: value }, { weight: isEnd ? 5 : 1, arbitrary: NOTHING });
}

/** All fields of a message, also several of a oneof: the last one counts. */
function messageBytes(shape: MessageShape, depth = 0): fc.Arbitrary<Buffer> {
  if (shape.field.length === 0) return NOTHING;
  const fields = shape.field.map((field) => fieldBytes(field, shape, depth));
  // A oneof that has everything would never be what its first members say.
  if (shape.name === "Entry" || shape.name === "Record") {
    const choices = shape.field.map((field) => oneValue(field, shape, depth));
    return fc.oneof(...choices);
  }
  return fc.tuple(...fields).map((parts) => Buffer.concat(parts));
}

const open = messageBytes(messageNamed("OpenStream")).map((bytes) => bytesField(1, bytes));
const batch = messageBytes(messageNamed("RecordBatch")).map((bytes) => bytesField(2, bytes));

function inputOf(method: Method): fc.Arbitrary<Input> {
  if (method.name === "Ingest") {
    return fc
      .tuple(open, fc.array(batch, { maxLength: 2 }))
      .map(([first, others]) => ({ method, messages: [first, ...others] }));
  }
  return messageBytes(method.request).map((bytes) => ({ method, messages: [bytes] }));
}

/** So many inputs of each method; the same for the same seed. */
export function corpus(seed: number, each: number, methods: readonly Method[] = METHODS): readonly Input[] {
  return methods.flatMap((method, at) => fc.sample(inputOf(method), { seed: seed + at, numRuns: each }));
}
