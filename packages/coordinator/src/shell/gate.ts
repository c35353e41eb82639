/** Lets through what comes, in its order. While it is shut all waits, and goes through before anything newer once it is open. */
export class Gate<Item extends object> {
  private readonly pass: (item: Item) => void;
  private waiting: Item[] = [];
  private shuts = 0;
  private isPassing = false;

  constructor(pass: (item: Item) => void) {
    this.pass = pass;
  }

  offer(item: Item): void {
    if (this.shuts > 0 || this.isPassing) this.waiting.push(item);
    else this.pass(item);
  }

  /** Shuts it until what it answers is called, by all who have shut it. */
  shut(): () => void {
    this.shuts++;
    let isOpened = false;
    return () => {
      if (isOpened) return;
      isOpened = true;
      this.shuts--;
      this.passWaiting();
    };
  }

  /** Forgets what waits. */
  clear(): void {
    this.waiting = [];
  }

  /** All at once: what is left for later would be behind what comes in the meantime, and more of that may come than is left. */
  private passWaiting(): void {
    if (this.isPassing) return;
    this.isPassing = true;
    try {
      while (this.shuts === 0) {
        const item = this.waiting.shift();
        if (item === undefined) return;
        this.pass(item);
      }
    } finally {
      this.isPassing = false;
    }
  }
}
