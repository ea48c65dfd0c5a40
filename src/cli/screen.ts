/**
 * What `start` shows: on a terminal with a little colour and lines that update in place, without
 * one plain lines. With `--json` nothing but one object when it is up.
 */
import { resolve } from 'node:path';
import { type Settings, table as settingsTable, urlWithoutSecrets } from '../config.ts';
import type { Call } from './command.ts';

/** Work that is done faster than this is not worth a progress line. */
const PROGRESS_AFTER_MS = 2_000;
const PROGRESS_EVERY_MS = 1_000;
const LABEL_WIDTH = 12;

export interface Progress {
  at(done: number, total: number): void;
  done(): void;
}

export class Screen {
  readonly #call: Call;
  readonly #terminal = process.stdout.isTTY === true;
  readonly #facts: [label: string, text: string][] = [];

  constructor(call: Call) {
    this.#call = call;
  }

  title(): void {
    this.line('');
    this.line(this.bold('Tollkeeper'));
    this.line('');
  }

  fact(label: string, text: string): void {
    this.#facts.push([label, text]);
    this.line(`  ${this.dim(label.padEnd(LABEL_WIDTH))}${text}`);
  }

  heading(text: string): void {
    this.line('');
    this.line(this.bold(text));
  }

  line(text: string): void {
    if (!this.#call.json) process.stdout.write(`${text}\n`);
  }

  /** Columns, the first left and the others right aligned. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((title, at) =>
      Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
    );
    const render = (row: readonly string[]) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!)))
        .join('  ')
        .trimEnd();
    this.line(`  ${this.dim(render(head))}`);
    for (const row of rows) this.line(`  ${render(row)}`);
  }

  /** Shows how far something is once it takes longer than two seconds. */
  progress(what: string): Progress {
    const startedAt = performance.now();
    let shownAt = 0;
    return {
      at: (done, total) => {
        const now = performance.now();
        if (this.#call.json || now - startedAt < PROGRESS_AFTER_MS) return;
        if (now - shownAt < PROGRESS_EVERY_MS) return;
        shownAt = now;
        const text = `${what}: ${done} of ${total}, ${Math.round((now - startedAt) / 1000)} s`;
        process.stderr.write(this.#terminal ? `\r\x1b[K  ${text}` : `${text}\n`);
      },
      done: () => {
        if (shownAt > 0 && this.#terminal) process.stderr.write('\r\x1b[K');
      },
    };
  }

  good(text: string): string {
    return this.#colour(32, text);
  }

  bad(text: string): string {
    return this.#colour(31, text);
  }

  bold(text: string): string {
    return this.#colour(1, text);
  }

  dim(text: string): string {
    return this.#colour(2, text);
  }

  /** Where to point a gateway, and what to try. */
  next(
    settings: Settings,
    addresses: readonly { host: string; port: number }[],
    tenant: string,
  ): void {
    const { host, port } = addresses[0] ?? { host: settings.diameterHost, port: 0 };
    const http = this.#facts.find(([label]) => label === 'HTTP')?.[1] ?? '';
    if (this.#call.json) {
      this.#call.result({ diameter: addresses, http, realm: settings.originRealm }, () => '');
      return;
    }
    this.heading('Point a gateway here');
    this.line(
      `  Diameter over TCP, ${host} port ${port}, realm ${settings.originRealm}, application 4 (Gy/Ro)`,
    );
    this.heading('Try next');
    const there = placeOf(settings);
    const token = settings.httpTokensFile === undefined ? '' : '-H "Authorization: Bearer $TOKEN" ';
    for (const [what, how] of [
      ['its accounts', `npx tollkeeper account list --tenant ${tenant}${there}`],
      ['open sessions', `npx tollkeeper session list --tenant ${tenant}${there}`],
      ['over HTTP', `curl -s ${token}'${http}/v1/accounts?tenant=${tenant}'`],
      ['the books', `npx tollkeeper audit${there}`],
      ['a capture of yours', `npx tollkeeper replay FILE.pcapng --port ${port}`],
    ] as const) {
      this.line(`  ${this.dim(what.padEnd(20))}${how}`);
    }
    this.line('');
    this.line(this.dim('  Ctrl-C ends everything in order; what is stored stays.'));
    this.line('');
  }

  stopping(): void {
    this.line('Stopping: peers are told, what is in flight is answered.');
  }

  stopped(): void {
    this.line('Stopped.');
  }

  #colour(code: number, text: string): string {
    return this.#terminal && process.env.NO_COLOR === undefined
      ? `\x1b[${code}m${text}\x1b[0m`
      : text;
  }
}

/** The flags that lead a command to the same store; none where its defaults do. */
function placeOf({ redisUrl, dataDir, provisioningFile }: Settings): string {
  const file = provisioningFile === undefined ? '' : ` --provisioning-file ${provisioningFile}`;
  if (redisUrl !== undefined) return ` --redis-url ${urlWithoutSecrets(redisUrl)}${file}`;
  return dataDir === resolve(settingsTable.dataDir.default)
    ? file
    : ` --data-dir ${dataDir}${file}`;
}
