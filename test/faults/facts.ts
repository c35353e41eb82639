/** What a client process tells the run, and what it is told: plain JSON over the channel between them. */

/** What must become of a task. */
export type Expected =
  | { readonly value: number }
  /** Either, and the same that `cancel()` answers. */
  | { readonly value: number; readonly mayBeCancelled: true }
  | { readonly error: string; readonly cause?: string };

/** What a callback was told. */
export type Told =
  | { readonly value: unknown }
  | {
      readonly error: string;
      readonly cause?: string;
      /** The last of its causes, where it is another than the first: what a chain of dependencies began with. */
      readonly root?: string;
      readonly message: string;
    };

export type Fact =
  /** The log has it. */
  | readonly ["accepted", id: string, expected: Expected]
  /** The client gave it up: nobody was promised anything. */
  | readonly ["refused", id: string, error: string]
  /** The `times`-th outcome that this handle's callbacks were told. */
  | readonly ["told", id: string, told: Told, times: number]
  /** `cancel()` resolved with this outcome. */
  | readonly ["answered", id: string, outcome: string];

/** How much of it. */
export type LoadSize = {
  /** Tasks that are open at most. */
  readonly openMax: number;
  /** Tasks that are submitted in a second; null for as many as the cluster takes. */
  readonly perSecond: number | null;
};

/** What each of so many clients does of it. */
export function shareOf({ openMax, perSecond }: LoadSize, clients: number): LoadSize {
  return { openMax: openMax / clients, perSecond: perSecond === null ? null : perSecond / clients };
}

export type ToClient =
  | { readonly type: "load"; readonly size: LoadSize }
  | { readonly type: "stop" }
  /** Tasks of a client that is gone, to be followed by id. */
  | { readonly type: "follow"; readonly ids: readonly string[] };

export type FromClient =
  | { readonly type: "ready"; readonly name: string }
  | { readonly type: "facts"; readonly facts: readonly Fact[] }
  | { readonly type: "trouble"; readonly message: string };
