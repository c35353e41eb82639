/** What `status()` of a connection yields: everything that happened since it was called, until the connection closes. */
import type { Status } from "@nats-io/transport-node";

export class StatusFeed implements AsyncIterable<Status> {
  private readonly waiting: Status[] = [];
  private wake: (() => void) | null = null;
  private ended = false;

  push(status: Status): void {
    this.waiting.push(status);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Status, void> {
    for (;;) {
      const status = this.waiting.shift();
      if (status !== undefined) yield status;
      else if (this.ended) return;
      else
        await new Promise<void>((wake) => {
          this.wake = wake;
        });
    }
  }
}
