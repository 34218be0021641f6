/** A set of words with a limited size: it removes the least recently used word (LRU). */
export class RecentlySeen {
  readonly #limit: number;
  /** A Set iterates in the order of insertion, so the oldest comes first. */
  readonly #words = new Set<string>();

  /** @param limit at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  has(word: string): boolean {
    const known = this.#words.delete(word);
    if (known) {
      this.#words.add(word);
    }
    return known;
  }

  add(word: string): void {
    this.#words.delete(word);
    this.#words.add(word);
    if (this.#words.size > this.#limit) {
      for (const oldest of this.#words) {
        this.#words.delete(oldest);
        return;
      }
    }
  }
}
