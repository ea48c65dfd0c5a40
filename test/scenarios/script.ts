/**
 * The text form of a scenario. A block is a command line, its indented details, a line of four
 * dashes, and what must come out; blank lines and `#` comments may stand between blocks.
 *
 *   update anna 1
 *     rg=1 used=octets:1000 ask
 *   ----
 *   2001
 *     rg=1 2001 granted=octets:5000
 */

export interface Block {
  /** Comments and blank lines before the command, kept for rewriting. */
  before: string[];
  line: number;
  words: string[];
  command: string;
  details: string[];
  expected: string[];
}

export function parseScenario(text: string): { blocks: Block[]; tail: string[] } {
  const lines = text.replace(/\n$/, '').split('\n');
  const blocks: Block[] = [];
  let before: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const command = lines[at] ?? '';
    if (command.trim() === '' || command.startsWith('#')) {
      before.push(command);
      at++;
      continue;
    }
    const block: Block = {
      before,
      line: at + 1,
      words: command.trim().split(/\s+/),
      command,
      details: [],
      expected: [],
    };
    before = [];
    at++;
    while (at < lines.length && lines[at] !== '----') block.details.push(lines[at++] ?? '');
    if (lines[at] !== '----') throw new Error(`line ${block.line}: a block without ----`);
    at++;
    while (at < lines.length && lines[at] !== '') block.expected.push(lines[at++] ?? '');
    blocks.push(block);
  }
  return { blocks, tail: before };
}

/** The scenario with what really came out: what `UPDATE=1` writes. */
export function renderScenario(
  blocks: readonly Block[],
  outputs: readonly string[][],
  tail: readonly string[],
): string {
  const lines: string[] = [];
  blocks.forEach((block, index) => {
    lines.push(...block.before, block.command, ...block.details, '----');
    lines.push(...(outputs[index] ?? []));
  });
  return `${[...lines, ...tail].join('\n')}\n`;
}

/** `key=value` words; a word without `=` has the value ''. */
export function wordsOf(line: string): [key: string, value: string][] {
  return line
    .trim()
    .split(/\s+/)
    .map((word) => {
      const equals = word.indexOf('=');
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
    });
}

const SECONDS: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400 };

/** `90 s`, `5 min`, `2 h`, `1 d` in milliseconds. */
export function durationMs([amount, unit]: readonly string[]): number {
  const seconds = SECONDS[unit ?? ''];
  if (amount === undefined || seconds === undefined)
    throw new Error(`no duration: ${amount} ${unit}`);
  return Number(amount) * seconds * 1000;
}
