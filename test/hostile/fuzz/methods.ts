/** Every method of every service, and the messages they take, read from the descriptors: a new one is fuzzed as it is made. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";

export interface FieldShape {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

export interface MessageShape {
  readonly name: string;
  readonly field: readonly FieldShape[];
  readonly nestedType?: readonly MessageShape[];
}

export interface Method {
  readonly name: string;
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: MessageShape;
}

type Definition = Readonly<Record<string, unknown>>;

const definitions = loadFileDescriptorSetFromBuffer(
  readFileSync(fileURLToPath(import.meta.resolve("@tailkeep/proto/descriptor.binpb"))),
) as Definition;

const ALL: readonly Method[] = Object.entries(definitions).flatMap(([service, definition]) =>
  service.endsWith("Service")
    ? Object.entries(definition as Definition).map(([name, method]) => {
        const { path, requestStream, responseStream, requestType } = method as Method & {
          requestType: { type: MessageShape };
        };
        return { name, path, requestStream, responseStream, request: requestType.type };
      })
    : [],
);

/** Who makes keys closes the door for everybody without one: they have a campaign of their own. */
const OF_KEYS = /Key/;

export const METHODS: readonly Method[] = ALL.filter(({ name }) => !OF_KEYS.test(name));
export const KEY_METHODS: readonly Method[] = ALL.filter(({ name }) => OF_KEYS.test(name));

/** The message of a field, by the name that its descriptor gives. */
export function messageOf(field: FieldShape, within: MessageShape): MessageShape {
  const name = field.typeName.split(".").at(-1) as string;
  const nested = within.nestedType?.find((each) => each.name === name);
  if (nested !== undefined) return nested;
  const found = definitions[`tailkeep.v1.${name}`] as { type: MessageShape } | undefined;
  if (found === undefined) throw new Error(`no message ${field.typeName}`);
  return found.type;
}

export function messageNamed(name: string): MessageShape {
  return (definitions[`tailkeep.v1.${name}`] as { type: MessageShape }).type;
}
