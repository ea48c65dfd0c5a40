/** One-time events as tests ask them. */
import type { EventAction, EventRequest } from '../../src/charging/event.ts';
import type { AskedService } from '../../src/charging/request.ts';
import { asks, ruleOf } from './till.ts';

/** A message costs 10. */
export const sms = ruleOf({
  name: 'sms',
  unit: 'units',
  price: { amount: 10, per: 1, increment: 1 },
  quota: { size: 5, minimum: 1, maximum: 100 },
});

export function eventOf(
  action: EventAction,
  services: readonly AskedService[] = [asks({ asked: {} })],
  part: Partial<EventRequest> = {},
): EventRequest {
  return {
    action,
    sessionId: 'e',
    number: 0,
    context: '32274@3gpp.org',
    subscriber: { kind: 'e164', id: '49170' },
    client: { host: 'smsc.example', realm: 'example' },
    level: 'services',
    services,
    ...part,
  };
}

export const units = (amount: number, part: Partial<AskedService> = {}): AskedService =>
  asks({ asked: { units: amount }, ...part });
export const money = (amount: number): AskedService => asks({ asked: { money: amount } });
export const atCommand = { level: 'command' } as const;
