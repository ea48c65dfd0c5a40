/**
 * Who may see what. A file names the tokens by their SHA-256, so that whoever reads the file can
 * use none of them; a token is random (`openssl rand -hex 32`), so its plain digest is enough:
 *
 *   tokens:
 *     - name: blue-operators
 *       sha256: 2bb80d53...          # printf %s "$TOKEN" | sha256sum
 *       tenants: [mvno-blue]
 *       scope: write                 # may also change what it sees; without it: read
 *     - name: monitoring
 *       sha256: 9f86d081...
 *       tenants: all                 # also what belongs to no tenant, such as /metrics
 *
 * Without a file everything is visible, but only to this machine, and nothing can be changed: see
 * `server.ts`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { TollkeeperError } from '../errors.ts';

/** What one caller may see. */
export interface Caller {
  /** The token's name; undefined where none is needed. */
  name: string | undefined;
  /** Every tenant, and what belongs to none. */
  all: boolean;
  sees(tenant: string): boolean;
  /** Whether it may change what it sees. */
  writes: boolean;
}

export interface Access {
  /** Whether callers must show a token. */
  tokens: boolean;
  /** The caller who sent this `Authorization` header; undefined: nobody that is known. */
  callerOf(authorization: string | undefined): Caller | undefined;
}

const EVERYBODY: Caller = { name: undefined, all: true, sees: () => true, writes: false };

/** Access without tokens: for loopback. */
export const openAccess: Access = { tokens: false, callerOf: () => EVERYBODY };

interface Token {
  digest: Buffer;
  /** Those that it names. */
  tenants: readonly string[];
  caller: Caller;
}

const MAX_TOKENS = 1_000;
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads the tokens of a file. Throws FILE_UNREADABLE, or HTTP_TOKENS_INVALID with every problem
 * and its line. `tenants` are those that there are: of a token for another, which may be gone or
 * yet to come, `warn` is told.
 */
export function readTokens(
  file: string,
  { tenants, warn = () => undefined }: { tenants: readonly string[]; warn?(problem: string): void },
): Access {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as Error).message;
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason }, { cause: error });
  }
  const problems: string[] = [];
  const tokens = parseTokens(text, {
    tenants,
    warn,
    report: (problem) => problems.push(problem),
  });
  if (problems.length > 0)
    throw new TollkeeperError('HTTP_TOKENS_INVALID', { file, problems: problems.join('\n') });
  return { tokens: true, callerOf: (authorization) => callerOf(tokens, authorization) };
}

/** The scheme is compared without regard to case (RFC 9110 11.1); the token as it stands. */
function callerOf(tokens: readonly Token[], authorization = ''): Caller | undefined {
  const presented = /^bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
  if (presented === undefined) return undefined;
  const digest = createHash('sha256').update(presented).digest();
  let caller: Caller | undefined;
  // All of them, each in constant time: how long it takes says nothing about which one is near.
  for (const token of tokens) if (timingSafeEqual(token.digest, digest)) caller = token.caller;
  return caller;
}

function parseTokens(
  text: string,
  {
    tenants,
    report,
    warn,
  }: { tenants: readonly string[]; report(problem: string): void; warn(problem: string): void },
): Token[] {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    report(`the file is larger than ${MAX_FILE_BYTES} octets`);
    return [];
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placed = (offset: number, problem: string) =>
    `line ${lines.linePos(offset).line}: ${problem}`;
  const at = (offset: number, problem: string) => report(placed(offset, problem));
  for (const error of document.errors) at(error.pos[0], error.message);
  if (document.errors.length > 0) return [];

  const list = document.get('tokens');
  if (!isSeq<Node>(list) || list.items.length === 0 || list.items.length > MAX_TOKENS) {
    at(0, `expected \`tokens\`, a list of 1 to ${MAX_TOKENS}`);
    return [];
  }
  const seen = new Set<string>();
  return list.items.flatMap((item) => {
    const token = isMap(item) ? parseToken(item.toJSON(), { seen }) : 'expected a token';
    const offset = item.range?.[0] ?? 0;
    if (typeof token === 'string') {
      at(offset, token);
      return [];
    }
    for (const tenant of token.tenants)
      if (!tenants.includes(tenant))
        warn(placed(offset, `there is no tenant ${tenant} at present`));
    return [token];
  });
}

/** One token, or what is wrong with it. */
function parseToken(
  written: Readonly<Record<string, unknown>>,
  { seen }: { seen: Set<string> },
): Token | string {
  const { name, sha256, tenants: sees, scope = 'read', ...rest } = written;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) return `${unknown} is not a member of a token`;
  if (typeof name !== 'string' || name === '') return 'expected `name`, to know it by in the log';
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256))
    return 'expected `sha256`, the digest of the token as 64 hexadecimal digits';
  if (scope !== 'read' && scope !== 'write') return 'expected `scope` read or write';
  if (seen.has(name) || seen.has(sha256.toLowerCase())) return `${name} stands here twice`;
  seen.add(name).add(sha256.toLowerCase());
  const digest = Buffer.from(sha256, 'hex');
  const writes = scope === 'write';
  if (sees === 'all')
    return { digest, tenants: [], caller: { name, all: true, sees: () => true, writes } };
  if (!Array.isArray(sees) || sees.length === 0)
    return 'expected `tenants`, a list of tenants or `all`';
  const named = new Set(sees.map(String));
  return {
    digest,
    tenants: [...named],
    caller: { name, all: false, sees: (tenant) => named.has(tenant), writes },
  };
}
