"""Streams numbered records to Tailkeep over plain grpcio, and survives being cut off and killed.

What a client in any language has to do is in `SequencedWriter`: keep what is not acked, open again after a failure with
the same ids, go on from what the server says it has. The ids and the acked number are in a state file, so that a later
process goes on where a killed one stopped.

Record number n is the same whenever it is made: that stands for a trainer that can repeat its work from a checkpoint.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
import uuid

import grpc
from tailkeep.v1 import ingest_pb2, ingest_pb2_grpc, records_pb2

BATCH_RECORDS = 256
RETRYABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
EVENT_TIME_FIRST_US = 1_700_000_000_000_000


class State:
    """Ids and progress, in a file that is whole at every moment."""

    def __init__(self, path):
        self._path = path
        if os.path.exists(path):
            with open(path, encoding="utf8") as file:
                values = json.load(file)
        else:
            values = {"stream_id": str(uuid.uuid4()), "writer_id": str(uuid.uuid4()), "acked_seq": 0}
        self.stream_id = values["stream_id"]
        self.writer_id = values["writer_id"]
        self.acked_seq = values["acked_seq"]
        self._save()

    def advance(self, acked_seq):
        if acked_seq > self.acked_seq:
            self.acked_seq = acked_seq
            self._save()

    def _save(self):
        temporary = self._path + ".new"
        with open(temporary, "w", encoding="utf8") as file:
            json.dump(
                {"stream_id": self.stream_id, "writer_id": self.writer_id, "acked_seq": self.acked_seq}, file
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)


def record_of(seq):
    """Record number `seq`: all six types in turn, each with a value that tells its number."""
    record = records_pb2.Record(event_time_us=EVENT_TIME_FIRST_US + seq)
    kind = seq % 6
    if kind == 0:
        record.performance_history.score = seq
        record.performance_history.metadata_json = json.dumps({"step": seq})
    elif kind == 1:
        record.session_history.actions_taken = seq
    elif kind == 2:
        record.action_tracking.effectiveness = seq
        record.action_tracking.action_sequence_json = json.dumps([1, 6, seq % 7])
    elif kind == 3:
        record.score_history.score = seq
    elif kind == 4:
        record.coordinate_tracking.coordinate_x = seq
        record.coordinate_tracking.success = True
    else:
        record.frame_tracking.frame_hash = f"{seq:016x}"
    return record


def batch_from(first_seq, last_seq):
    last_seq = min(last_seq, first_seq + BATCH_RECORDS - 1)
    entries = [ingest_pb2.Entry(record=record_of(seq)) for seq in range(first_seq, last_seq + 1)]
    return ingest_pb2.RecordBatch(first_seq=first_seq, entries=entries)


class SequencedWriter:
    """Writes records 1 to `last_seq` of one stream, exactly once."""

    def __init__(self, stub, session_id, state, last_seq):
        self._stub = stub
        self._session_id = session_id
        self._state = state
        self._last_seq = last_seq

    def run(self):
        """Returns how many calls it took."""
        calls = 0
        delay_s = 0.1
        while self._state.acked_seq < self._last_seq:
            acked_before = self._state.acked_seq
            calls += 1
            try:
                self._one_call()
            except grpc.RpcError as error:
                if error.code() not in RETRYABLE:
                    raise
                print(f"call {calls} ended at {self._state.acked_seq}: {error.code().name}", flush=True)
                delay_s = 0.1 if self._state.acked_seq > acked_before else min(delay_s * 2, 10)
                time.sleep(random.uniform(0, delay_s))
        return calls

    def _one_call(self):
        call = Call(self._session_id, self._state, self._last_seq)
        try:
            for answer in self._stub.Ingest(call.messages()):
                call.take(answer)
        finally:
            call.end()


class Call:
    """One call: what is sent is made by grpc's own thread, what is answered is taken by ours."""

    def __init__(self, session_id, state, last_seq):
        self._session_id = session_id
        self._state = state
        self._last_seq = last_seq
        self._changed = threading.Condition()
        self._next_seq = None
        self._credit_bytes = 0
        self._ended = False

    def messages(self):
        yield ingest_pb2.IngestRequest(
            open=ingest_pb2.OpenStream(
                session_id=self._session_id,
                stream_id=self._state.stream_id,
                writer_id=self._state.writer_id,
                acked_seq=self._state.acked_seq,
            )
        )
        self._wait_until(lambda: self._next_seq is not None)
        sent_bytes = 0
        while not self._ended and self._next_seq <= self._last_seq:
            batch = batch_from(self._next_seq, self._last_seq)
            sent_bytes += batch.ByteSize()
            self._wait_until(lambda: sent_bytes <= self._credit_bytes)
            if self._ended:
                return
            self._next_seq = batch.first_seq + len(batch.entries)
            yield ingest_pb2.IngestRequest(batch=batch)

    def take(self, answer):
        with self._changed:
            kind = answer.WhichOneof("message")
            if kind == "opened":
                self._state.advance(answer.opened.committed_seq)
                self._next_seq = answer.opened.committed_seq + 1
                self._credit_bytes = answer.opened.credit_bytes
            elif kind == "credit":
                self._credit_bytes = max(self._credit_bytes, answer.credit.credit_bytes)
            elif kind == "ack":
                if answer.ack.rejected:
                    raise SystemExit(f"refused: {answer.ack.rejected[0]}")
                self._state.advance(answer.ack.committed_seq)
            self._changed.notify_all()

    def end(self):
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _wait_until(self, condition):
        with self._changed:
            self._changed.wait_for(lambda: self._ended or condition())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--session", required=True)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--state", required=True)
    args = parser.parse_args()

    # Without this a channel that was cut waits up to two minutes between attempts.
    options = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.initial_reconnect_backoff_ms", 100)]
    with grpc.insecure_channel(args.server, options=options) as channel:
        state = State(args.state)
        resumed_at = state.acked_seq
        started_at = time.monotonic()
        stub = ingest_pb2_grpc.IngestServiceStub(channel)
        calls = SequencedWriter(stub, args.session, state, args.records).run()
        seconds = time.monotonic() - started_at
        rate = (args.records - resumed_at) / seconds
        print(f"done: {resumed_at + 1} to {state.acked_seq} in {calls} calls, {rate:.0f} records/s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
