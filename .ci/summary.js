// The closing line of .ci/run, and its exit code. Arguments: vitest's JSON report, failed checks, vitest's exit code.
import { readFileSync } from "node:fs";

const [file, failedChecks, testsStatus] = process.argv.slice(2);
const report = readReport();
const passed = report?.numPassedTests ?? 0;
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
let failed = (report?.numFailedTests ?? 0) + Number(failedChecks);

// A file that does not load, an unhandled error, a run that was ended for its time: none of them is a failed test.
if (Number(testsStatus) !== 0 && (report?.numFailedTests ?? 0) === 0) {
  console.log(`npm test ended with code ${testsStatus}`);
  failed += 1;
}
if (passed === 0 && failed === 0) {
  console.log("no test was run");
  failed += 1;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;

function readReport() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
