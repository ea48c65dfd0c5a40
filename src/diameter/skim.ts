// Reads no more of a frame than its refusal needs: for a message that is refused before its AVPs are
// looked at, by overload (3004) or for its application (3007). RFC 6733 6.2 and 7.2.

import type { Raw } from './decode.ts';
import { type Header, readHeader } from './header.ts';
import { definitionOf } from './schema.ts';
import { walkAvps } from './walk.ts';

/** A message of which only the header and what an answer repeats was read. */
export type Skimmed = {
  readonly name: undefined;
  readonly header: Header;
  readonly message: Record<string, never>;
  readonly failure: undefined;
  readonly raw: Raw;
};

/** The answer to what it returns has the E flag, because no grammar but the common one fits. */
export function skim(frame: Buffer): Skimmed {
  const raw: { sessionId?: Buffer; proxyInfo: Buffer[] } = { proxyInfo: [] };
  for (const { vendor, code, data, bytes } of walkAvps(frame)) {
    if (vendor !== 0) continue;
    if (code === sessionId.code) raw.sessionId ??= data;
    else if (code === proxyInfo.code) raw.proxyInfo.push(bytes);
  }
  return { name: undefined, header: readHeader(frame), message: {}, failure: undefined, raw };
}

const sessionId = definitionOf('Session-Id');
const proxyInfo = definitionOf('Proxy-Info');
