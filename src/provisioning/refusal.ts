/** A change that does not fit, as the error that its maker is told. */
import { TollkeeperError } from '../errors.ts';
import { findingText } from './configuration.ts';
import type { Finding } from './problem.ts';

export function refusal(findings: readonly Finding[]): TollkeeperError {
  const problems = findings.map((finding) => `  ${findingText(finding)}`).join('\n');
  return new TollkeeperError('CHANGE_REFUSED', { problems });
}
