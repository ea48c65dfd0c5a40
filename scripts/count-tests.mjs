/**
 * `node scripts/count-tests.mjs REPORT EXIT`: "passed failed" of one suite, from vitest's JSON report.
 * A suite that ran no test, left no report, or failed without a failed test counts as one failure.
 */
import { existsSync, readFileSync } from 'node:fs';

const [report = '', exit = ''] = process.argv.slice(2);
const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = existsSync(report)
  ? JSON.parse(readFileSync(report, 'utf8'))
  : {};
const brokenAnyway = failed === 0 && (passed === 0 || exit !== '0');
console.log(`${passed} ${brokenAnyway ? 1 : failed}`);
