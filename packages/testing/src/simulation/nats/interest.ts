/** Who listens to what: the server's table of subscriptions. */
import type { Session } from "./session.ts";
import { isLiteral, matches } from "./subject-pattern.ts";

export type Interested = { readonly session: Session; readonly sid: number; readonly pattern: string };

export class Interest {
  private readonly literal = new Map<string, Set<Interested>>();
  private readonly wild = new Set<Interested>();
  private readonly bySession = new Map<Session, Map<number, Interested>>();

  add(session: Session, sid: number, pattern: string): void {
    const subs = this.bySession.get(session) ?? new Map<number, Interested>();
    if (subs.has(sid)) return;
    const each = { session, sid, pattern };
    this.bySession.set(session, subs.set(sid, each));
    if (!isLiteral(pattern)) this.wild.add(each);
    else this.literal.set(pattern, (this.literal.get(pattern) ?? new Set()).add(each));
  }

  remove(session: Session, sid: number): void {
    const subs = this.bySession.get(session);
    const each = subs?.get(sid);
    if (subs === undefined || each === undefined) return;
    subs.delete(sid);
    if (subs.size === 0) this.bySession.delete(session);
    this.wild.delete(each);
    const literal = this.literal.get(each.pattern);
    literal?.delete(each);
    if (literal?.size === 0) this.literal.delete(each.pattern);
  }

  forget(session: Session): void {
    for (const sid of [...(this.bySession.get(session)?.keys() ?? [])]) this.remove(session, sid);
  }

  forgetAll(isGone: (session: Session) => boolean): void {
    for (const session of [...this.bySession.keys()]) if (isGone(session)) this.forget(session);
  }

  /** Subscriptions of processes that ended go on the way. */
  matching(subject: string): readonly Interested[] {
    const found = [...(this.literal.get(subject) ?? [])];
    for (const each of this.wild) if (matches(each.pattern, subject)) found.push(each);
    return found.filter(({ session }) => {
      if (session.isEnded) this.forget(session);
      return !session.isEnded;
    });
  }

  /** Those of one session. */
  matchingOf(session: Session, subject: string): readonly Interested[] {
    const subs = [...(this.bySession.get(session)?.values() ?? [])];
    return subs.filter((each) => matches(each.pattern, subject));
  }
}
