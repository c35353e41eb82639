/** Records of the log, as they come, into a ledger: whoever folds the log does it here. */
import {
  DefectError,
  decodeRecord,
  FOLD_VERSION,
  FoldDivergedError,
  type LogRecord,
  type LogSubject,
  LogTooNewError,
  type Subjects,
} from "@weft/protocol";
import type { Effect, Ledger } from "../core/ledger/index.ts";
import type { RawRecord } from "./log-reader.ts";

export type LogFoldOptions = {
  readonly ledger: Ledger;
  readonly subjects: Subjects;
  /** Records that the operator has had passed over. */
  readonly skipped: ReadonlySet<number>;
  /** The newest rules that it knows. @default FOLD_VERSION */
  readonly foldVersion?: number;
  readonly onVoid: (kind: string) => void;
};

export type Folded = {
  /** Null where the bytes were none, or were passed over. */
  readonly record: LogRecord | null;
  readonly effects: readonly Effect[];
};

export class LogFold {
  private readonly options: LogFoldOptions;
  private readonly subjects = new Map<string, LogSubject | null>();

  constructor(options: LogFoldOptions) {
    this.options = options;
  }

  /** A throw is a defect of ours, and names the record: nobody can go on behind it. */
  apply(raw: RawRecord): Folded {
    try {
      return this.fold(raw);
    } catch (cause) {
      if (cause instanceof LogTooNewError || cause instanceof FoldDivergedError) throw cause;
      throw new DefectError(
        `the fold failed at record ${raw.seq}: ${String(cause)} (\`weft log show ${raw.seq}\` tells what it is)`,
        { cause },
      );
    }
  }

  private fold(raw: RawRecord): Folded {
    const { ledger, skipped, onVoid } = this.options;
    const { seq, stampMs } = raw;
    const subject = this.subjectOf(raw.subject);
    if (subject === null) {
      onVoid("a subject that is none of ours");
      return { record: null, effects: [] };
    }
    const read = skipped.has(seq) ? SKIPPED : decodeRecord(subject.kind, raw.data);
    if (!read.ok) onVoid(`${subject.kind} record: ${read.kind}`);
    const record = read.ok ? read.value : null;
    const effects = ledger.apply({ seq, stampMs, subject, record });
    const { foldVersion = FOLD_VERSION } = this.options;
    if (ledger.foldVersion > foldVersion) throw new LogTooNewError(ledger.foldVersion, foldVersion);
    for (const effect of effects) {
      if (effect.type === "void") onVoid(effect.why);
      else if (effect.type === "diverged") throw new FoldDivergedError(effect.seq);
    }
    return { record, effects };
  }

  /** There are about as many as senders: each is taken apart once, not for every record. */
  private subjectOf(text: string): LogSubject | null {
    const known = this.subjects.get(text);
    if (known !== undefined) return known;
    const subject = this.options.subjects.parseLog(0, text);
    if (this.subjects.size >= SUBJECTS_MAX) this.subjects.clear();
    this.subjects.set(text, subject);
    return subject;
  }
}

const SUBJECTS_MAX = 1_000;

const SKIPPED = { ok: false, kind: "passed over by the operator" } as const;
