import assert from "node:assert/strict";
import {
  AbortedBySignalError,
  ClosedError,
  connect,
  DeadlineError,
  FailedPreconditionError,
  FencedError,
  InvalidArgumentError,
  NotFoundError,
  openRecorder,
  PermissionError,
  ProtocolError,
  ResourceExhaustedError,
  TailkeepError,
  UnavailableError,
  UnencodableError,
  VersionMismatchError,
} from "@tailkeep/client";

const CLASSES = [
  AbortedBySignalError,
  ClosedError,
  FailedPreconditionError,
  FencedError,
  PermissionError,
  ProtocolError,
  ResourceExhaustedError,
  UnencodableError,
];

export async function errors(): Promise<void> {
  for (const Class of CLASSES) {
    const error = new Class("a message", { code: "A_CODE", retryable: false });
    assert.ok(error instanceof TailkeepError && error.name === Class.name);
  }
  assert.throws(() => openRecorder({ flushRecords: 0 }), InvalidArgumentError);

  const client = connect();
  await assert.rejects(client.history.getSession(`none-${process.pid}`), NotFoundError);
  await client.state.put(`errors-${process.pid}`, 1);
  await assert.rejects(client.state.put(`errors-${process.pid}`, 2, { expectedVersion: 7 }), VersionMismatchError);
  await client.close();

  const nowhere = connect({ server: "127.0.0.1:1", timeoutMs: 200 });
  await assert.rejects(
    nowhere.history.getStatistics(),
    (error: unknown) => error instanceof UnavailableError || error instanceof DeadlineError,
  );
  await nowhere.close();
}
