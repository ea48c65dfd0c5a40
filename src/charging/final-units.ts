/**
 * What happens when credit ends (RFC 8506 5.6): final units are announced; the client uses them up,
 * redirects or restricts and says so; it asks again from time to time; and once the account was
 * filled the next grant lifts the restriction.
 */
import type { Final, Rule } from './plan.ts';
import type { Asked, AskedService } from './request.ts';
import type { Granted, Serving } from './serving.ts';
import type { Service } from './session.ts';
import { isReturned } from './settle.ts';

/** RFC 8506 5.6.2: a client that is restricted asks without a word of units, used or requested. */
export function askedWhileRestricted(
  one: AskedService,
  service: Service | undefined,
): Asked | undefined {
  return service?.exhausted === 'restricted' && one.used === undefined ? {} : undefined;
}

/** No quota is asked for, and none is granted (RFC 8506 8.16). */
export function answerUnasked(
  one: AskedService,
  { rule, plain }: { rule: Rule | undefined; plain: Granted },
): Granted {
  const { service } = plain;
  if (service?.exhausted !== 'final' && service?.exhausted !== 'restricted') return plain;
  if (isReturned(one)) return { ...plain, service: restored(service) };
  if (rule === undefined || actionOf(rule) === undefined) return plain;
  // RFC 8506 5.6.2: the final units are used up; the client has begun to redirect or restrict.
  return {
    ...plain,
    service: { ...service, exhausted: 'restricted' },
    answer: { outcome: 'success', validitySeconds: rule.restrictedSeconds },
  };
}

/**
 * Nothing useful is left. A client that can redirect or restrict does so at once: in the first
 * interrogation it is told so without units (RFC 8506 8.34), later with none (5.6). One that did,
 * and asked again in vain, is refused, or goes on as it is: that is the plan's policy (5.6.2).
 */
export function answerExhausted(
  { kind }: Serving,
  { rule, service }: { rule: Rule; service: Service },
): Granted {
  const final = actionOf(rule);
  const isOver = service.exhausted === 'restricted' && rule.staysRestricted !== true;
  if (final === undefined || isOver) {
    return {
      service: { ...service, exhausted: 'refused' },
      refuses: true,
      answer: { outcome: 'credit-limit-reached' },
    };
  }
  const answer: Granted['answer'] = {
    outcome: 'success',
    validitySeconds: rule.restrictedSeconds,
    final,
  };
  if (kind !== 'initial') answer.granted = { unit: rule.unit, units: 0 };
  return { service: { ...service, exhausted: 'restricted' }, refuses: true, answer };
}

/** What a client does beyond its final units, unless it just ends the service. */
function actionOf({ atEnd }: Rule): Final | undefined {
  return atEnd === 'deny' || atEnd.action === 'terminate' ? undefined : atEnd;
}

/** The service with its credit restored, or not yet at its end. */
export function restored(service: Service): Service {
  if (service.exhausted === undefined) return service;
  const { exhausted: _, ...kept } = service;
  return kept;
}
