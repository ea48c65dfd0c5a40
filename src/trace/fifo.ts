// A queue whose ends cost the same at any length; requests that wait may be many.

interface Link<Item> {
  readonly item: Item;
  next: Link<Item> | undefined;
}

export class Fifo<Item> {
  #first: Link<Item> | undefined;
  #last: Link<Item> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: Item): void {
    const link = { item, next: undefined };
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#length += 1;
  }

  /** In front of all others. */
  putBack(item: Item): void {
    this.#first = { item, next: this.#first };
    this.#last ??= this.#first;
    this.#length += 1;
  }

  peek(): Item | undefined {
    return this.#first?.item;
  }

  shift(): Item | undefined {
    const link = this.#first;
    if (link === undefined) return undefined;
    this.#first = link.next;
    if (this.#first === undefined) this.#last = undefined;
    this.#length -= 1;
    return link.item;
  }
}
