import grpc, sys, time, uuid
sys.path.append("proto")
pb, services = grpc.protos_and_services("tailkeep/v1/ingest.proto")
stub = services.IngestServiceStub(grpc.insecure_channel("127.0.0.1:50051"))
def messages(session_id="from-python"):
    yield pb.IngestRequest(open={"session_id": session_id, "stream_id": str(uuid.uuid4()), "writer_id": str(uuid.uuid4())})
    for seq in range(1, 101):
        record = {"event_time_us": int(time.time() * 1e6), "score_history": {"game_id": "ls20", "score": seq}}
        yield pb.IngestRequest(batch={"first_seq": seq, "entries": [{"record": record}]})
print("durable up to", max(answer.ack.committed_seq for answer in stub.Ingest(messages())))
