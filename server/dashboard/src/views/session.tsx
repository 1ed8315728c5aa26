export function SessionView({ sessionId }: { sessionId: string }) {
  return <h1 dir="auto">{sessionId}</h1>;
}
