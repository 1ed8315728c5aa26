import { useState } from "preact/hooks";
import { ApiError, remove } from "../api.js";
import { live } from "../live/live-state.js";
import { type Session, titleOf } from "../model.js";
import { Dialog } from "./dialog.js";
import { Notice } from "./notice.js";

/** Asks once more, and once again where a trainer is still writing. */
export function DeleteDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const [problem, setProblem] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const isWritten = problem?.code === "SESSION_ACTIVE";
  const erase = async () => {
    setBusy(true);
    try {
      await remove("session", { session: session.sessionId, force: isWritten ? "true" : undefined });
      live.refreshSessions();
      onClose();
      location.hash = "#/";
    } catch (error) {
      setProblem(error instanceof ApiError ? error : new ApiError(0, "", String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="Delete this session?" onClose={onClose}>
      <p>
        All records, gaps and dead letters of <bdi>{titleOf(session)}</bdi> go for good. There is no undo.
      </p>
      {problem !== undefined && (
        <Notice tone="bad">
          {isWritten ? "A trainer is writing to it. Deleting it now shuts that trainer out." : problem.message}
        </Notice>
      )}
      <div class="actions">
        <button type="button" class="danger" disabled={isBusy} onClick={() => void erase()}>
          {isWritten ? "Shut the trainer out and delete" : "Delete for good"}
        </button>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}
