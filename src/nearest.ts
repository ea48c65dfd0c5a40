/** "Did you mean ...?": the known word nearest to one that is not known. */

/** The nearest of `words` by edit distance, or `undefined` if none is near enough to be a slip. */
export function nearest(text: string, words: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const word of words) {
    const distance = editDistance(text, word);
    if (best === undefined || distance < best.distance) best = { word, distance };
  }
  const slips = Math.max(2, Math.floor(text.length / 4));
  return best !== undefined && best.distance <= slips ? best.word : undefined;
}

/** Levenshtein distance, one row at a time; a swap of neighbours counts two. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
