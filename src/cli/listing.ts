/** Reads a list page by page and shows it: a table for people, one object a line for programs. */
import type { Call } from './command.ts';

const PAGE = 100;

export interface Listing<Item> {
  /** The most items to show. */
  limit: number;
  /** Completes "There are no ...". */
  what: string;
  page(page: {
    after?: string;
    limit: number;
  }): Promise<{ items: Item[]; next: string | undefined }>;
  text(items: readonly Item[]): string;
}

/** Says so on stderr when there is more than was shown. */
export async function listAll<Item>(
  call: Pick<Call, 'json' | 'result' | 'note'>,
  { limit, what, page, text }: Listing<Item>,
): Promise<void> {
  const items: Item[] = [];
  let after: string | undefined;
  let shown = 0;
  do {
    const read = await page({
      limit: Math.min(PAGE, limit - shown),
      ...(after === undefined ? {} : { after }),
    });
    shown += read.items.length;
    after = read.next;
    // Programs get each page as it comes; people get columns that fit all of it.
    if (call.json) for (const item of read.items) call.result(item, () => '');
    else items.push(...read.items);
  } while (after !== undefined && shown < limit);
  if (after !== undefined) call.note(`There are more; --limit is ${limit}.`);
  if (call.json) return;
  call.result(items, () => (shown === 0 ? `There are no ${what}.` : text(items)));
}
