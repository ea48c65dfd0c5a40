/**
 * One-time events in words: `event debit|refund|check|price SESSION NUMBER ...` and the words of any
 * request. `parts=N` is a message of N parts; `of=SESSION` hands in the Refund-Information that the
 * debit of that Session-Id was answered with.
 */
import type { CCA, CCR } from '../../src/diameter/commands.ts';
import { wordsOf } from './script.ts';

const EVENT_REQUEST = 4;
const ACTIONS: Record<string, number> = { debit: 0, refund: 1, check: 2, price: 3 };

/** Session-Id -> Refund-Information. */
export type Proofs = Map<string, Buffer>;

/** The request of a session's words, made the event that the words `event ACTION` begin. */
export function asEvent(ccr: CCR, words: readonly string[], proofs: Proofs): CCR {
  const options = new Map(words.map((word) => wordsOf(word)[0] ?? ['', '']));
  const action = ACTIONS[words[1] ?? ''];
  const parts = options.get('parts');
  const of = options.get('of');
  const event: CCR = {
    ...ccr,
    'CC-Request-Type': EVENT_REQUEST,
    ...(action === undefined ? {} : { 'Requested-Action': action as 0 }),
  };
  if (parts !== undefined)
    event['Service-Information'] = {
      ...ccr['Service-Information'],
      'SMS-Information': {
        ...ccr['Service-Information']?.['SMS-Information'],
        'Number-Of-Messages-Sent': Number(parts),
      },
    };
  return of === undefined ? event : withProof(event, proofs.get(`gw.example;${of}`));
}

function withProof(event: CCR, proof: Buffer | undefined): CCR {
  if (proof === undefined) throw new Error('no such debit');
  const services = event['Multiple-Services-Credit-Control'];
  if (services === undefined) return { ...event, 'Refund-Information': [proof] };
  return {
    ...event,
    'Multiple-Services-Credit-Control': services.map((service) => ({
      ...service,
      'Refund-Information': proof,
    })),
  };
}

/** Keeps what proves a debit. */
export function keepProof(cca: CCA, proofs: Proofs): void {
  const proof = proofOf(cca);
  if (proof !== undefined) proofs.set(cca['Session-Id'], proof);
}

function proofOf(cca: CCA): Buffer | undefined {
  const [service] = cca['Multiple-Services-Credit-Control'] ?? [];
  return service?.['Refund-Information'] ?? cca['Refund-Information']?.[0];
}

/** `enough` or `no-credit`, `cost=0.30`, `refundable`. */
export function eventWords(cca: CCA): string[] {
  const [service] = cca['Multiple-Services-Credit-Control'] ?? [];
  const check = cca['Check-Balance-Result'] ?? service?.['Check-Balance-Result']?.[0];
  const cost = cca['Cost-Information']?.['Unit-Value'];
  return [
    ...(check === undefined ? [] : [check === 0 ? 'enough' : 'no-credit']),
    ...(cost === undefined ? [] : [`cost=${cost['Value-Digits']}e${cost.Exponent ?? 0}`]),
    ...(proofOf(cca) === undefined ? [] : ['refundable']),
  ];
}
