/** From what a provisioning file should say to its text, as a person would go on editing it. */
import { stringify } from 'yaml';
import type { WrittenFile } from './schema.ts';

/** `comment` stands above it, on one line. Texts are quoted: identities of digits must stay texts. */
export function writeProvisioning(file: WrittenFile, comment: string): string {
  const line = comment.replaceAll(/[\r\n]+/g, ' ');
  return `# ${line}\n${writePart(file)}`;
}

/** A part of it, such as a plan. */
export function writePart(part: unknown): string {
  return stringify(part, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}
