/**
 * A YAML text with its places: values for those who check them, and lines and columns for what
 * they find. Bounded in size and in what aliases may expand to.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
} from 'yaml';
import { LIMITS } from './limits.ts';
import { type Finding, fieldOf, type Path, type Problem } from './problem.ts';

/** How many nodes aliases may stand for, in all. */
const MAX_ALIASES = 1000;

export interface Source {
  /** The file as plain values. */
  value: unknown;
  /** Puts a finding to its place in the file. */
  place(finding: Finding): Problem;
}

/** Reads one YAML document; syntax errors are problems without a field. */
export function readSource(
  text: string,
  file: string,
): { source: Source } | { problems: Problem[] } {
  const wholeFile = (found: string, expected: string): { problems: Problem[] } => ({
    problems: [{ file, line: 1, column: 1, field: '', found, expected }],
  });
  if (Buffer.byteLength(text) > LIMITS.fileBytes) {
    return wholeFile('a larger file', `at most ${LIMITS.fileBytes} octets`);
  }
  const placeOf = places(text);
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    const errors = [...document.errors, ...document.warnings];
    if (errors.length > 0) {
      // What follows from an error at the same place is an echo of it.
      const first = new Map(errors.toReversed().map((error) => [error.pos[0], error.message]));
      return {
        problems: [...first].reverse().map(([offset, message]) => {
          const expected = 'well-formed YAML';
          return { file, ...placeOf(offset), field: '', found: clause(message), expected };
        }),
      };
    }
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return {
      source: {
        value,
        place({ path, at, found, expected }) {
          const place = placeOf(offsetOf(document, path, at));
          return { file, ...place, field: fieldOf(path), found, expected };
        },
      },
    };
  } catch (error) {
    // The parser recurses: nesting that no provisioning file has exhausts its stack.
    if (error instanceof RangeError)
      return wholeFile('nesting that is too deep', 'a provisioning file');
    if (!(error instanceof ReferenceError)) throw error;
    return wholeFile('aliases that stand for too much', `at most ${MAX_ALIASES} nodes`);
  }
}

/** Finds line and column of an offset, both from 1. */
function places(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let line = 1;
    for (let low = 1, high = starts.length; low <= high; ) {
      const middle = (low + high) >> 1;
      if (starts[middle - 1]! <= offset) {
        line = middle;
        low = middle + 1;
      } else high = middle - 1;
    }
    return { line, column: offset - starts[line - 1]! + 1 };
  };
}

/** A parser's sentence as the middle of ours. */
function clause(message: string): string {
  const line = message.split('\n', 1)[0] ?? message;
  return `an error (${line.replace(/[.:]$/, '')})`;
}

/**
 * Where the value at `path` starts, or its key. What is not there is looked for as deep as the
 * file goes: a missing member is reported at the value that lacks it.
 */
function offsetOf(document: Document.Parsed, path: Path, at: 'key' | undefined): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : '') === step);
      const wantsKey = at === 'key' && depth === path.length - 1;
      const empty = isScalar(pair?.value) && pair.value.range?.[0] === pair.value.range?.[1];
      next = wantsKey || empty ? pair?.key : pair?.value;
    } else if (isSeq(node)) next = node.items[Number(step)];
    if (!isNode(next)) break;
    node = next;
    offset = next.range?.[0] ?? offset;
  }
  return offset;
}
