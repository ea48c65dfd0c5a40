/** Lists come in pages; a cursor says where the next one starts, in the list that it was made for. */
import { TollkeeperError } from '../errors.ts';

export const pageQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 200,
    default: 50,
    description: 'The most items of a page.',
  },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 1000,
    description: 'The `next` of the page before; it is of use for the same list only.',
  },
} as const;

export const nextSchema = {
  type: 'string',
  description: 'The cursor of the next page; absent: this is the last.',
} as const;

export interface PageQuery {
  limit: number;
  cursor?: string;
}

/** A list by name, of one tenant. */
export interface List {
  list: string;
  tenant: string;
  /** What a place in it looks like. */
  place: RegExp;
}

/** What the store is asked for. Throws REQUEST_INVALID for a cursor that is not of this list. */
export function pageOf(
  { limit, cursor }: PageQuery,
  { list, tenant, place }: List,
): { limit: number; after?: string } {
  if (cursor === undefined) return { limit };
  const [ofList, ofTenant, after] = decoded(cursor);
  // The store looks within the tenant in any case; a cursor of another list would skip at random.
  if (ofList !== list || ofTenant !== tenant || typeof after !== 'string' || !place.test(after))
    throw new TollkeeperError('REQUEST_INVALID', { problem: 'cursor is not one of this list' });
  return { limit, after };
}

export function cursorOf(after: string, { list, tenant }: List): string {
  return Buffer.from(JSON.stringify([list, tenant, after])).toString('base64url');
}

function decoded(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
