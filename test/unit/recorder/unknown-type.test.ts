// A type that does not exist is the author's mistake, said where it is made: refused record by record it would be lost.
import { DatabaseBoundedDict, DatabaseBoundedList, openRecorder, type RecordTypeName } from "@tailkeep/client";
import { expect, onTestFinished, test } from "vitest";

test.each(["scores", "", "toString", undefined, 300])("no container is made of the type %j", async (type) => {
  const recorder = openRecorder({ recording: false });
  onTestFinished(async () => void (await recorder.close()));
  const wrong = type as RecordTypeName;
  expect(() => new DatabaseBoundedList(wrong, { recorder })).toThrow(/type must be one of .*score_history.*, but is/);
  expect(() => new DatabaseBoundedDict(wrong, { recorder })).toThrow(/type must be one of/);
});

test("a copy by the constructor, as lodash makes one, is refused with what to do instead", async () => {
  const recorder = openRecorder({ recording: false });
  onTestFinished(async () => void (await recorder.close()));
  const list = new DatabaseBoundedList("score_history", { recorder });
  list.append(1);
  const copy = list.constructor as new (length: number) => unknown;
  expect(() => new copy(list.length)).toThrow("[...list]");
});
