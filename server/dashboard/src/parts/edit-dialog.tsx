import { useState } from "preact/hooks";
import { patch } from "../api.js";
import { live } from "../live/live-state.js";
import type { Session } from "../model.js";
import { Dialog } from "./dialog.js";
import { Notice } from "./notice.js";

/** Name and labels of a session; labels are written a line each, `key=value`. */
export function EditDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const [name, setName] = useState(session.name);
  const [labels, setLabels] = useState(textOf(session.labels));
  const [problem, setProblem] = useState("");
  const save = async () => {
    try {
      await patch("session", { session: session.sessionId }, { name, labels: labelsOf(labels) });
      live.refreshSessions();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title="Rename or label" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          Name
          <input
            type="text"
            dir="auto"
            maxLength={256}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Labels, one a line, as key=value
          <textarea rows={5} dir="auto" value={labels} onInput={(event) => setLabels(event.currentTarget.value)} />
        </label>
        {problem !== "" && <Notice tone="bad">{problem}</Notice>}
        <div class="actions">
          <button type="submit" class="primary">
            Save
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function textOf(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

function labelsOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}
