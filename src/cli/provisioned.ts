/** Reads the provisioning file, or says everything that is wrong with it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TollkeeperError } from '../errors.ts';
import { type LoadedFile, loadProvisioning } from '../provisioning/load.ts';
import { renderProblems } from '../provisioning/problem.ts';

/** What is provisioned where no file is named: a sample MVNE with two MVNOs. */
export const sampleProvisioning = fileURLToPath(
  new URL('../../samples/mvne.yaml', import.meta.url),
);

/** Throws FILE_UNREADABLE or PROVISIONING_INVALID. */
export function readProvisioning(file: string): LoadedFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason: (error as Error).message });
  }
  const loaded = loadProvisioning(text, file);
  if (loaded.ok) return loaded;
  throw new TollkeeperError('PROVISIONING_INVALID', {
    file,
    problems: renderProblems(loaded.problems),
  });
}
