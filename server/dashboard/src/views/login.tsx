import { useState } from "preact/hooks";
import { key } from "../api.js";
import { Notice } from "../parts/notice.js";

/** Asks for a key. It stays in this tab's memory, and is gone with it. */
export function Login({ problem, onKey }: { problem: string; onKey: () => void }) {
  const [text, setText] = useState("");
  const enter = (event: Event) => {
    event.preventDefault();
    key.set(text.trim());
    setText("");
    onKey();
  };
  return (
    <section class="card narrow">
      <h1>This server asks for a key</h1>
      {problem !== "" && <Notice tone="bad">{problem}</Notice>}
      <form onSubmit={enter} class="stack">
        <label>
          API key
          <input
            type="password"
            name="key"
            autocomplete="off"
            spellcheck={false}
            required
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Open the dashboard
        </button>
      </form>
      <p class="muted">
        A key with the role <code>read</code> shows everything; <code>write</code> also renames and pins, and{" "}
        <code>admin</code> also deletes. An operator makes one with <code>tailkeep keys create --role read</code>. The
        key is kept in this tab only.
      </p>
    </section>
  );
}
