/** The accounts that a benchmark charges: `provisioning.yaml`, as many of them as it wants. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How many accounts a benchmark uses unless it is tiny. */
export const ACCOUNTS = 5_000;

const source = fileURLToPath(new URL('provisioning.yaml', import.meta.url));

/** Writes a provisioning file with this many accounts; returns its name. */
export function writeProvisioning(file: string, accounts: number): string {
  const text = readFileSync(source, 'utf8');
  writeFileSync(file, text.replace(`count: ${ACCOUNTS}`, `count: ${accounts}`));
  return file;
}
