// Answers that say what was wrong with a request. RFC 6733 6.2 and 7.2, RFC 8506 3.2.

import type { Messages } from './commands.ts';
import type { Decoded } from './decode.ts';
import { encode, encodeAnswerMessage, type RawMembers } from './encode.ts';
import type { Failure } from './failure.ts';
import { answerHeader } from './header.ts';
import { resultClass, resultCodes } from './result-codes.ts';
import { commandNamed } from './schema.ts';
import type { Skimmed } from './skim.ts';

/** Who answers. `stateId` becomes Origin-State-Id. */
export type Origin = {
  readonly host: string;
  readonly realm: string;
  readonly stateId?: number;
};

type Answered = {
  CER: 'CEA';
  DPR: 'DPA';
  DWR: 'DWA';
  CCR: 'CCA';
  RAR: 'RAA';
  STR: 'STA';
  ASR: 'ASA';
};

/** Further members of the answer by its own grammar, as the capabilities of a CEA. */
export type AnswerMembers = Partial<Messages[Answered[keyof Answered]]>;

/**
 * The whole answer to a request that failed: to its own failure, or to one that its reader found.
 *
 * A 3xxx takes the E flag and the grammar of RFC 6733 7.2. Any other code takes the command's own
 * grammar, with CC-Request-Type and -Number repeated; where a member that this grammar requires
 * cannot be known, RFC 6733 7.1.5 allows the E flag and the common grammar, which are then used
 * (with 5012 in place of a 4xxx, which must not have the E flag).
 *
 * Returns undefined for an answer: no error is ever sent in reply to one (RFC 6733 7.2).
 */
export function answerFailure(
  decoded: Decoded | Skimmed,
  origin: Origin,
  failure: Failure | undefined = decoded.failure,
  members: AnswerMembers = {},
): Buffer | undefined {
  const { header, raw } = decoded;
  if (!header.request || failure === undefined) return undefined;
  const common = {
    ...(raw.sessionId === undefined ? {} : { 'Session-Id': '' }),
    'Result-Code': failure.resultCode,
    'Origin-Host': origin.host,
    'Origin-Realm': origin.realm,
    ...(origin.stateId === undefined ? {} : { 'Origin-State-Id': origin.stateId }),
  };
  const octets: RawMembers = { ...raw, failedAvp: failure.failedAvp };
  const outgoing = answerHeader(header);
  const own = failure.eBit ? undefined : ownGrammar(decoded);
  if (own !== undefined) {
    const listed = commandNamed(own).slotNamed;
    const message: Record<string, unknown> = { ...common, ...repeated(decoded), ...members };
    if (!listed.has('Session-Id')) delete message['Session-Id'];
    if (!listed.has('Origin-State-Id')) delete message['Origin-State-Id'];
    message['Error-Message'] = listed.has('Error-Message')
      ? failure.errorMessage
      : [failure.errorMessage];
    const complete = commandNamed(own).slots.every(
      ({ required, definition: { name } }) => !required || message[name] !== undefined,
    );
    if (complete) return encode(own, outgoing, message as Messages[typeof own], octets);
  }
  const resultCode =
    resultClass(failure.resultCode) === 'transient'
      ? resultCodes.DIAMETER_UNABLE_TO_COMPLY
      : failure.resultCode;
  return encodeAnswerMessage(
    header.code,
    outgoing,
    { ...common, 'Result-Code': resultCode, 'Error-Message': failure.errorMessage },
    octets,
  );
}

const answered: Readonly<Answered> = {
  CER: 'CEA',
  DPR: 'DPA',
  DWR: 'DWA',
  CCR: 'CCA',
  RAR: 'RAA',
  STR: 'STA',
  ASR: 'ASA',
};

function ownGrammar({ name }: Decoded | Skimmed): Answered[keyof Answered] | undefined {
  return name !== undefined && name in answered ? answered[name as keyof Answered] : undefined;
}

/** What a CCA repeats of its CCR. RFC 8506 3.2. */
function repeated(decoded: Decoded | Skimmed): Record<string, unknown> {
  if (decoded.name !== 'CCR') return {};
  const { message } = decoded;
  return {
    'Auth-Application-Id': decoded.header.applicationId,
    'CC-Request-Type': message['CC-Request-Type'],
    'CC-Request-Number': message['CC-Request-Number'],
    'CC-Sub-Session-Id': message['CC-Sub-Session-Id'],
  };
}
