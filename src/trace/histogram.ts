// A histogram of latencies over seven decades in fixed memory, with a relative error below 0.1 %:
// linear up to 2048, then 1024 steps for each doubling. Percentiles never flatter: each is the
// largest value that its step can stand for, and at most the largest value recorded.

const linearSteps = 2048;
const stepsPerDoubling = linearSteps / 2;
/** Values of 2^40 and more count as 2^40 - 1; in microseconds that is twelve days. */
const largestValue = 2 ** 40 - 1;

function indexOf(value: number): number {
  if (value < linearSteps) return value;
  const shift = Math.floor(Math.log2(value)) - 10;
  return shift * stepsPerDoubling + Math.floor(value / 2 ** shift);
}

/** The largest value that is counted at this index. */
function largestAt(index: number): number {
  if (index < linearSteps) return index;
  const shift = Math.floor(index / stepsPerDoubling) - 1;
  return (index - shift * stepsPerDoubling + 1) * 2 ** shift - 1;
}

export class Histogram {
  readonly #counts = new Float64Array(indexOf(largestValue) + 1);
  #count = 0;
  #sum = 0;
  #max = 0;

  /** Counts a value; negative ones as 0, fractions rounded. */
  record(value: number): void {
    const whole = Math.min(Math.max(Math.round(value), 0), largestValue);
    const index = indexOf(whole);
    this.#counts[index] = this.#counts[index]! + 1;
    this.#count += 1;
    this.#sum += whole;
    this.#max = Math.max(this.#max, whole);
  }

  add(other: Histogram): void {
    other.#counts.forEach((count, index) => {
      this.#counts[index] = this.#counts[index]! + count;
    });
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#max = Math.max(this.#max, other.#max);
  }

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** 0 if nothing was recorded. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** The value that `percent` of all values do not exceed; 0 if nothing was recorded. */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      seen += this.#counts[index]!;
      if (seen >= rank) return Math.min(largestAt(index), this.#max);
    }
    return 0;
  }
}
