// Prints what the stages of a run came to, and as its last line the sum. Takes the file that .ci/run keeps its notes
// in: a line for each stage, `name <tab> exit status <tab> report of Vitest, or nothing`. Exits with 1 if anything failed.
import { readFileSync } from "node:fs";

/** A stage without a report is one check: it passed or it failed. */
function countStage(status, reportPath) {
  const check = { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, failures: [] };
  if (reportPath === "") return check;
  const report = readReport(reportPath);
  if (report === null) return { ...check, passed: 0, failed: 1, failures: ["it left no report"] };
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const file of report.testResults) countFile(file, count);
  const executed = count.passed + count.failed + count.skipped;
  if (executed === 0) fail(count, "it ran no test");
  // An error outside of any test, or a run that was cut short, shows in the exit status alone.
  else if (status !== 0 && count.failed === 0) fail(count, `it exited with ${status}`);
  return count;
}

function countFile(file, count) {
  const failedBefore = count.failed;
  for (const test of file.assertionResults) {
    if (test.status === "passed") count.passed++;
    else if (test.status === "failed") fail(count, `${file.name}: ${test.fullName}`);
    else count.skipped++;
  }
  // A file that cannot be loaded has no tests, and one whose hook fails has only skipped ones.
  if (file.status === "failed" && count.failed === failedBefore) fail(count, `${file.name}: ${file.message}`);
}

function fail(count, failure) {
  count.failed++;
  count.failures.push(failure);
}

function readReport(path) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(report.testResults) ? report : null;
  } catch {
    return null;
  }
}

const notes = readFileSync(process.argv[2], "utf8")
  .split("\n")
  .filter((line) => line !== "");
const total = { passed: 0, failed: 0, skipped: 0 };
console.log("");
for (const note of notes) {
  const [name, status, reportPath = ""] = note.split("\t");
  const { passed, failed, skipped, failures } = countStage(Number(status), reportPath);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const failure of failures) console.log(`  ${failure.split("\n")[0]}`);
}
if (notes.length === 0) total.failed++;
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
