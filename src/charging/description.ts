/**
 * What a request says of its use at length, and which of a session's records keep it: the first one,
 * and of Service-Information also each one with which it changed. What changes little is not said
 * again with every update.
 */
import type { ChargingRecord } from './record.ts';
import type { Request } from './request.ts';
import type { Session } from './session.ts';

/** What a request and its record have in common that is only described. */
export type Description = Pick<
  Request & ChargingRecord,
  'information' | 'sentContext' | 'equipment' | 'correlation'
>;

/** What a session remembers of a request's Service-Information: a digest; undefined: it has none. */
export function digestOfInformation({
  information,
}: Pick<Request, 'information'>): number | undefined {
  return information === undefined ? undefined : digestOfOctets(information);
}

/**
 * Adds to the record of a request what it says. `before`: the session as it was, if there was one;
 * `described`: the digest of its information.
 */
export function describe(
  record: Description,
  { information, sentContext, equipment, correlation }: Description,
  { before, described }: { before: Session | undefined; described: number | undefined },
): void {
  if (correlation !== undefined) record.correlation = correlation;
  // The octets are a slice of what a peer sent, all of which would live as long as the record.
  if (information !== undefined && (before === undefined || before.described !== described))
    record.information = new Uint8Array(information);
  if (before !== undefined) return;
  if (sentContext !== undefined) record.sentContext = sentContext;
  if (equipment !== undefined) record.equipment = equipment;
}

/** 32 bits, four octets at a time: a change that they miss is one in four billion. */
function digestOfOctets(octets: Uint8Array): number {
  let digest = octets.length;
  const words = octets.length & ~3;
  let at = 0;
  for (; at < words; at += 4) {
    const word =
      (octets[at] as number) |
      ((octets[at + 1] as number) << 8) |
      ((octets[at + 2] as number) << 16) |
      ((octets[at + 3] as number) << 24);
    digest = Math.imul(digest ^ word, 0x9e3779b1);
    digest ^= digest >>> 15;
  }
  for (; at < octets.length; at += 1)
    digest = Math.imul(digest ^ (octets[at] as number), 0x01000193);
  return (digest ^ (digest >>> 13)) >>> 0;
}
