/** Who is charged, as replies show it. */
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';

export const subscriberSchema = {
  $id: 'Subscriber',
  description: 'Who is charged (RFC 8506 8.46).',
  type: 'object',
  required: ['kind', 'id'],
  additionalProperties: false,
  properties: {
    kind: {
      type: 'string',
      enum: ['e164', 'imsi', 'sip', 'nai', 'private'] satisfies SubscriberKind[],
    },
    id: { type: 'string' },
  },
} as const;

/** What `kind:id` says. */
export function subscriberOf(text: string): SubscriberId {
  const colon = text.indexOf(':');
  return { kind: text.slice(0, colon) as SubscriberKind, id: text.slice(colon + 1) };
}
