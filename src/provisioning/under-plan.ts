/** Whether sessions of an account go on under a plan that it has no more. */
import type { AccountRef } from '../charging/account.ts';
import type { Service } from '../charging/session.ts';
import type { Store } from '../store/store.ts';

/** Open sessions that are read at once. */
const PAGE = 100;

/**
 * Whether some open session of an account holds, or was refused, what was decided under another plan
 * than `plan`: whoever gave the account this plan may have been stopped before its clients were
 * asked. Throws StoreUnavailable.
 */
export async function isUnderAnother(
  store: Pick<Store, 'sessionsOf'>,
  account: AccountRef,
  plan: string,
): Promise<boolean> {
  let after: string | undefined;
  do {
    const page = await store.sessionsOf(account, { limit: PAGE, ...(after && { after }) });
    const services = page.sessions.flatMap(({ session }) => session.services);
    if (services.some((service) => goesOn(service) && (service.plan ?? plan) !== plan)) return true;
    after = page.next;
  } while (after !== undefined);
  return false;
}

const goesOn = ({ grant, exhausted }: Service): boolean =>
  grant !== undefined || exhausted !== undefined;
