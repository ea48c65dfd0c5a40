/** Answers of the core as octets: what the tests of answers share. */
import type { Answer, ServiceAnswer } from '../../src/charging/answer.ts';
import { encode } from '../../src/diameter/encode.ts';
import { answerHeader } from '../../src/diameter/header.ts';
import { type AnswerableCCR, type AnswerTo, toCCA } from '../../src/ro/answer.ts';
import { avp, type CcrAvps, group, message } from '../diameter/bytes.ts';
import { decoded, euro } from './asking.ts';

export const origin = { host: 'ocs.example', realm: 'example' };
export const INITIAL: CcrAvps = { requestType: avp(416, 1), requestNumber: avp(415, 0) };
export const EVENT: CcrAvps = { requestType: avp(416, 4), requestNumber: avp(415, 0) };

/** What a test says of the request that is answered, and of its peer. */
export interface Asked extends Partial<Pick<AnswerTo, 'currency' | 'finalUnits'>> {
  more?: Buffer[];
  replace?: CcrAvps;
}

/** The whole answer to an update, unless `asked` says otherwise. */
export function answerOctets(answer: Partial<Answer>, asked: Asked = {}): Buffer {
  const { more = [], replace = {}, ...options } = asked;
  const { message: ccr, header, raw } = decoded(more, replace);
  const cca = toCCA(
    { outcome: 'success', level: 'services', services: [], ...answer },
    { ccr: ccr as AnswerableCCR, origin, currency: euro, ...options },
  );
  return encode('CCA', answerHeader(header), cca, raw);
}

/** An answer of these AVPs between those that every answer to `ccr` has and those at its end. */
export function ccaOf(resultCode: number, middle: Buffer[], type = 2, number = 7): Buffer {
  const head = [
    avp(263, 'gw.example;1;2'),
    avp(268, resultCode),
    avp(264, 'ocs.example'),
    avp(296, 'example'),
    avp(258, 4),
    avp(416, type),
    avp(415, number),
  ];
  return message([...head, ...middle], { flags: 0x40 });
}

/** The answer for rating group 1, as octets. */
export const serviceAnswer = (part: Partial<ServiceAnswer>): ServiceAnswer => ({
  ratingGroup: 1,
  serviceIds: [],
  outcome: 'success',
  ...part,
});

export const entry = (...members: Buffer[]) => group(456, members);
