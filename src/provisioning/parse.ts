/**
 * Reads a configuration's document, JSON, in steps that are short however long it is. Parts that
 * are written as they were in the document before are not read again: they are the same values, so
 * whoever finds one knows that nothing in it has changed.
 */
import type { Work } from './work.ts';

/** A part of a document, and what it says. */
interface Part {
  text: string;
  value: unknown;
}

/** The parts that may be known again, in the order of the document. */
export type Parts = readonly Part[];

export interface ParsedDocument {
  value: unknown;
  parts: Parts;
}

/** Where they stand; `*` is any place in a list. */
const REUSED: ReadonlySet<string> = new Set([
  '/tenants/*/holidays',
  '/tenants/*/zones',
  '/tenants/*/plans/*',
]);

/** Characters of text that are read in one step. */
const CHUNK = 16_384;

/** Throws SyntaxError as JSON.parse does. What it gives must not be changed. */
export function* parsing(
  text: string,
  { known = [], chunk = CHUNK }: { known?: Parts; chunk?: number } = {},
): Work<ParsedDocument> {
  const reader = new Reader(text, { known, chunk });
  try {
    return { value: yield* reader.document(), parts: reader.parts };
  } catch (error) {
    // What is wrong is told in the runtime's own words.
    if (error instanceof SyntaxError) return { value: JSON.parse(text), parts: [] };
    throw error;
  }
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+/sy;

/** Deeper than any configuration: what stands there is left to JSON.parse whatever its length. */
const MAX_DEPTH = 32;

/** Takes large objects and lists apart, and leaves to JSON.parse what is no longer than a chunk. */
class Reader {
  readonly parts: Part[] = [];
  readonly #text: string;
  readonly #known: Parts;
  /** What the parts say, by their texts. */
  readonly #values = new Map<string, unknown>();
  readonly #chunk: number;
  #at = 0;
  #depth = 0;
  /** The known part after the one that was met last: most documents keep their order. */
  #next = 0;

  constructor(text: string, { known, chunk }: { known: Parts; chunk: number }) {
    this.#text = text;
    this.#known = known;
    this.#chunk = chunk;
  }

  *document(): Work<unknown> {
    const value = yield* this.#value('');
    this.#skip(SPACE);
    if (this.#at < this.#text.length) throw new SyntaxError('more than one value');
    return value;
  }

  *#value(place: string): Work<unknown> {
    yield;
    this.#skip(SPACE);
    if (!REUSED.has(place)) return yield* this.#read(place);
    const from = this.#at;
    const known = this.#knownHere();
    const read = known === undefined ? yield* this.#read(place) : known.value;
    if (known !== undefined) this.#at += known.text.length;
    // A number may be the beginning of another, which no object and no list is.
    if (typeof read !== 'object' || read === null) return read;
    // A text of this document's own, or else each would keep the ones before it in memory.
    const text = this.#text.slice(from, this.#at);
    // Many tenants may have the same plan: of one text there is one value.
    const value = this.#values.get(text) ?? read;
    this.#values.set(text, value);
    this.parts.push({ text, value });
    return value;
  }

  *#read(place: string): Work<unknown> {
    const first = this.#text[this.#at];
    if (first !== '{' && first !== '[') return JSON.parse(this.#skip(SCALAR));
    const end = this.#endWithin(this.#longestAt(place));
    if (end !== undefined) {
      const text = this.#text.slice(this.#at, end);
      this.#at = end;
      return JSON.parse(text);
    }
    this.#at += 1;
    this.#depth += 1;
    const value = yield* first === '[' ? this.#list(place) : this.#object(place);
    this.#depth -= 1;
    return value;
  }

  /** How many characters are left to JSON.parse. */
  #longestAt(place: string): number {
    if (REUSED_ABOVE.has(place)) return 0;
    return this.#depth < MAX_DEPTH ? this.#chunk : this.#text.length;
  }

  *#list(place: string): Work<unknown[]> {
    const items: unknown[] = [];
    const itemPlace = `${place}/*`;
    const isApart = REUSED.has(itemPlace) || REUSED_ABOVE.has(itemPlace);
    if (this.#takes(']')) return items;
    do {
      const end = isApart ? undefined : this.#itemsWithin(this.#chunk);
      if (end === undefined) items.push(yield* this.#value(itemPlace));
      else {
        const several: unknown[] = JSON.parse(`[${this.#text.slice(this.#at, end)}]`);
        if (several.length === 0) throw new SyntaxError('no item');
        for (const item of several) items.push(item);
        this.#at = end;
        yield;
      }
    } while (this.#takes(','));
    this.#expect(']');
    return items;
  }

  *#object(place: string): Work<Record<string, unknown>> {
    const members: Record<string, unknown> = {};
    if (this.#takes('}')) return members;
    do {
      this.#skip(SPACE);
      const name: unknown = JSON.parse(this.#skip(SCALAR));
      // It would not become a member like any other.
      if (typeof name !== 'string' || name === '__proto__') throw new SyntaxError('no name');
      this.#expect(':');
      members[name] = yield* this.#value(`${place}/${name}`);
    } while (this.#takes(','));
    this.#expect('}');
    return members;
  }

  /** The part that the text goes on with, which is a whole value if it ends as it begins. */
  #knownHere(): Part | undefined {
    for (let tried = 0; tried < this.#known.length; tried++) {
      const index = (this.#next + tried) % this.#known.length;
      const part = this.#known[index] as Part;
      if (!this.#text.startsWith(part.text, this.#at)) continue;
      this.#next = index + 1;
      return part;
    }
    return undefined;
  }

  /** Where the object or list that begins here ends; undefined: beyond so many characters. */
  #endWithin(most: number): number | undefined {
    const text = this.#text;
    const last = Math.min(text.length, this.#at + most);
    let depth = 0;
    for (let at = this.#at; at < last; at++) {
      switch (text.charCodeAt(at)) {
        case 0x22: // "
          at = endOfString(text, at, last);
          break;
        case 0x5b: // [
        case 0x7b: // {
          depth += 1;
          break;
        case 0x5d: // ]
        case 0x7d: // }
          depth -= 1;
          if (depth === 0) return at + 1;
      }
    }
    return undefined;
  }

  /** Where the last item of a list ends of those that begin here; undefined: likewise. */
  #itemsWithin(most: number): number | undefined {
    const text = this.#text;
    const last = Math.min(text.length, this.#at + most);
    let depth = 0;
    let end: number | undefined;
    for (let at = this.#at; at < last; at++) {
      switch (text.charCodeAt(at)) {
        case 0x22: // "
          at = endOfString(text, at, last);
          break;
        case 0x2c: // ,
          if (depth === 0) end = at;
          break;
        case 0x5b: // [
        case 0x7b: // {
          depth += 1;
          break;
        case 0x5d: // ]
        case 0x7d: // }
          if (depth === 0) return at;
          depth -= 1;
      }
    }
    return end;
  }

  #takes(character: string): boolean {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw new SyntaxError(`no ${character}`);
  }

  /** Passes over what a pattern matches here, and gives it. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new SyntaxError('another character');
    this.#at += found.length;
    return found;
  }
}

/** Where the string ends that begins at `at`, or where `last` cuts it off. */
function endOfString(text: string, at: number, last: number): number {
  let end = at + 1;
  while (end < last && text.charCodeAt(end) !== 0x22) end += text.charCodeAt(end) === 0x5c ? 2 : 1; // a backslash, and what it stands before
  return end;
}

/** What parts that may be known again stand in. */
const REUSED_ABOVE: ReadonlySet<string> = new Set([
  '',
  '/tenants',
  '/tenants/*',
  '/tenants/*/plans',
]);
