/** `tollkeeper subscriber move`: adds a subscriber to an account, or moves it there. */
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import { subscriberSchema } from '../http/subscriber.ts';
import { putSubscriber } from '../provisioning/edit-account.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { word } from '../values.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { storedConfiguration } from './stored.ts';

export const command = defineCommand({
  name: 'subscriber move',
  summary: 'Add a subscriber to an account, or move it there',
  usage: 'SUBSCRIBER ACCOUNT',
  details:
    `SUBSCRIBER is one of ${subscriberSchema.properties.kind.enum.join(', ')}, a colon and the ` +
    'identity. Open sessions stay with the account that they were opened on; limits that the ' +
    'subscriber had on the account that it leaves are gone.',
  examples: ['subscriber move e164:491700000001 blue-family --tenant mvno-blue'],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose; needed where there are several.' },
  },
  settings: [...storeSettings],
  async run(call) {
    const [subscriber = '', account = ''] = call.operands;
    const id = subscriberOf(subscriber);
    const moved = await withStore(call.settings, async (store) => {
      const { tenant } = await storedConfiguration(store, {
        command: 'subscriber move',
        tenant: call.flags.tenant,
      });
      const done = await withOutcome(store, (watched) =>
        putSubscriber(watched, { tenant, account }, id),
      );
      return { tenant, subscriber, account, ...done };
    });
    call.result(moved, ({ tenant, movedFrom }) => {
      const from = movedFrom === undefined ? '' : `, and no more on ${movedFrom}`;
      return `${subscriber} is on ${account} of ${tenant}${from}`;
    });
  },
});

/** Throws COMMAND_LINE_INVALID. */
function subscriberOf(text: string): SubscriberId {
  const { kind: kinds } = subscriberSchema.properties;
  const [, kind = '', id = ''] = /^([a-z0-9]+):(\S{1,255})$/.exec(text) ?? [];
  if ((kinds.enum as readonly string[]).includes(kind)) return { kind: kind as SubscriberKind, id };
  throw new TollkeeperError('COMMAND_LINE_INVALID', {
    problem: `tollkeeper subscriber move: "${text}" is not ${kinds.enum.join(', ')}, a colon and an id`,
  });
}
