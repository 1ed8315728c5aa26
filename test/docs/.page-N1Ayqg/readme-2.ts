import { openRecorder, setDefaultRecorder } from "@tailkeep/client";

const recorder = openRecorder({
  overflow: { frame_tracking: "drop-oldest", coordinate_tracking: "drop-oldest" },
  spill: { folder: ".tailkeep/spill", bytesMax: 4 * 1024 ** 3 },
  flushOnSigterm: true,
});
recorder.onProblem(({ code, message }) => console.error(`${code}: ${message}`));
setDefaultRecorder(recorder); // of all containers that are made from now on


export {};
