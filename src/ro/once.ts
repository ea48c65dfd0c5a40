/**
 * A service that a request names several times is answered once: only a tariff change makes two
 * instances of one service (RFC 8506 5.2, 8.16). The core answers each naming with its part of one
 * grant; a client that keeps what it was told last of a rating group would lose the other parts.
 */
import type { Answer, ServiceAnswer } from '../charging/answer.ts';
import { add } from '../charging/money.ts';
import { serviceKey } from '../charging/request.ts';

/** The answer with one for each service, in the place of its first. */
export function oncePerService(answer: Answer): Answer {
  if (answer.services.length < 2) return answer;
  const once = new Map<string, ServiceAnswer>();
  for (const one of answer.services) {
    const key = serviceKey(one);
    const before = once.get(key);
    once.set(key, before === undefined ? one : together(before, one));
  }
  const isPlain = once.size === answer.services.length;
  return isPlain ? answer : { ...answer, services: [...once.values()] };
}

/** What was granted is told, else what failed, else that nothing did. */
function together(before: ServiceAnswer, after: ServiceAnswer): ServiceAnswer {
  const isLast =
    after.granted !== undefined || (before.granted === undefined && after.outcome !== 'success');
  const [told, other] = isLast ? [after, before] : [before, after];
  // What was granted in another unit was so under another rule, whose grant this one replaced.
  if (told.outcome !== other.outcome || isOther(told.granted, other.granted)) return told;
  const both = { ...other, ...told };
  if (other.directives !== undefined) both.directives = { ...other.directives, ...told.directives };
  if (told.granted !== undefined)
    both.granted = { ...told.granted, units: add(told.granted.units, other.granted?.units ?? 0) };
  if (told.tariffChange?.after !== undefined) {
    const units = add(told.tariffChange.after, other.tariffChange?.after ?? 0);
    both.tariffChange = { ...told.tariffChange, after: units };
  }
  return both;
}

const isOther = (a: ServiceAnswer['granted'], b: ServiceAnswer['granted']): boolean =>
  a !== undefined && b !== undefined && a.unit !== b.unit;
