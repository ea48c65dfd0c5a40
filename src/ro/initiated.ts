/**
 * Requests that the server starts, in words of the core, as RAR (RFC 8506 5.5, 10.2) and ASR (RFC
 * 6733 8.5), and what their answers come to.
 */
import type { Reply } from '../charging/initiate.ts';
import type { Scope } from '../charging/pending.ts';
import type { Session } from '../charging/session.ts';
import type { ASR, RAR } from '../diameter/commands.ts';
import type { Decoded } from '../diameter/decode.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { asSent } from './identify.ts';

const CREDIT_CONTROL = 4;
/** Re-Auth-Request-Type, RFC 6733 8.12. */
const AUTHORIZE_ONLY = 0;

/** Who asks: the sending worker's Diameter identity. */
export interface Asker {
  host: string;
  realm: string;
  stateId?: number;
}

/** A Re-Auth-Request; without a scope it is for every service of the (sub-)session. */
export function toRAR(session: Session, scope: Scope, asker: Asker): RAR {
  const { ratingGroup, serviceId, pool } = scope;
  const { subSessionId } = session;
  return {
    ...addressed(session, asker),
    'Re-Auth-Request-Type': AUTHORIZE_ONLY,
    ...(subSessionId === undefined ? {} : { 'CC-Sub-Session-Id': BigInt(subSessionId) }),
    ...(pool === undefined ? {} : { 'G-S-U-Pool-Identifier': pool }),
    ...(serviceId === undefined ? {} : { 'Service-Identifier': serviceId }),
    ...(ratingGroup === undefined ? {} : { 'Rating-Group': ratingGroup }),
  };
}

/** An Abort-Session-Request. It has no word for a sub-session: it ends all of its Session-Id. */
export function toASR(session: Session, asker: Asker): ASR {
  return addressed(session, asker);
}

/** What the two requests have in common. */
type Addressed = Pick<
  ASR,
  | 'Session-Id'
  | 'Origin-Host'
  | 'Origin-Realm'
  | 'Destination-Realm'
  | 'Destination-Host'
  | 'Auth-Application-Id'
  | 'Origin-State-Id'
>;

function addressed({ sessionId, client }: Session, { host, realm, stateId }: Asker): Addressed {
  return {
    'Session-Id': asSent(sessionId),
    'Origin-Host': host,
    'Origin-Realm': realm,
    'Destination-Realm': client.realm,
    'Destination-Host': client.host,
    'Auth-Application-Id': CREDIT_CONTROL,
    ...(stateId === undefined ? {} : { 'Origin-State-Id': stateId }),
  };
}

/** What a RAA, an ASA or an answer with the E flag comes to; one without a Result-Code, to nothing. */
export function replyOf(answer: Decoded): { reply: Reply; resultCode: number } {
  const { message } = answer;
  const code = 'Result-Code' in message ? (message['Result-Code'] ?? 0) : 0;
  return { reply: replyTo(Number(code)), resultCode: Number(code) };
}

function replyTo(resultCode: number): Reply {
  if (resultCode === resultCodes.DIAMETER_UNKNOWN_SESSION_ID) return 'unknown-session';
  // RFC 6733 7.1: the class tells what to do with a code that is not known.
  switch (Math.floor(resultCode / 1000)) {
    case 2:
      return 'acknowledged';
    case 3:
      return 'undeliverable';
    case 5:
      return 'refused';
    default:
      return 'later';
  }
}
