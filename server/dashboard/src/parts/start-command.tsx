import { useState } from "preact/hooks";
import { useServer } from "../server-context.js";

/** What to do when nothing has been recorded yet. */
export function StartCommand() {
  const { grpcAddr } = useServer();
  return (
    <div class="stack">
      <p>A session appears here by itself as soon as a trainer records something. To see one within a minute:</p>
      <Command text={`npx tailkeep demo --server ${grpcAddr} --pace 50`} />
      <p>
        It trains a small learner on a grid game and records its play in all six types. In a trainer of your own,
        replace <code>[]</code> by <code>DatabaseBoundedList</code> and say where the server is:
      </p>
      <Command text={`TAILKEEP_SERVER=${grpcAddr} node trainer.js`} />
    </div>
  );
}

function Command({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
