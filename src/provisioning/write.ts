/** From what a provisioning file should say to its text, as a person would go on editing it. */
import { stringify } from 'yaml';
import type { WrittenFile } from './schema.ts';

/** `comment` stands above it, on one line. Texts are quoted: identities of digits must stay texts. */
export function writeProvisioning(file: WrittenFile, comment: string): string {
  const line = comment.replaceAll(/[\r\n]+/g, ' ');
  const body = stringify(file, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
  return `# ${line}\n${body}`;
}
