/** Runs a command line of ours in this process, as `node src/main.ts` would. */
import { runCommandLine } from '../../src/cli/run.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export async function run(env: Record<string, string>, ...argv: string[]): Promise<Ran> {
  const written = { out: '', err: '' };
  const code = await runCommandLine({
    argv,
    env,
    stdout: (text) => {
      written.out += text;
    },
    stderr: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

/** The JSON objects of an output, one a line. */
export function objectsOf<T>({ out }: Ran): T[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
