/** The server's answer to an append. */
export type AckError = { readonly code: number; readonly message: string };
export type Ack =
  | { readonly ok: true; readonly seq: number }
  | { readonly ok: false; readonly error: AckError };

/** Error codes of JetStream that Weft tells apart (server's errors.json). */
export const WRONG_LAST_SEQUENCE = 10071;
/** The stream is full. */
export const NO_ROOM = 10077;

const decoder = new TextDecoder();

/** An answer that does not name the stream is no acknowledgement: any server message could have been put there. */
export function readAck(data: Uint8Array, stream: string): Ack {
  if (data.length === 0)
    return failed(503, "no stream answers: its leader is changing, or the namespace was not created");
  let answer: unknown;
  try {
    answer = JSON.parse(decoder.decode(data));
  } catch {
    return failed(0, "an acknowledgement that is no JSON");
  }
  if (typeof answer !== "object" || answer === null) return failed(0, "an acknowledgement that is no object");
  const { stream: named, seq, error } = answer as Record<string, unknown>;
  if (typeof error === "object" && error !== null) {
    const { err_code: code, description } = error as Record<string, unknown>;
    return failed(
      typeof code === "number" ? code : 0,
      typeof description === "string" ? description : "refused",
    );
  }
  if (named !== stream || typeof seq !== "number" || seq <= 0)
    return failed(0, `an acknowledgement of another stream than ${stream}`);
  return { ok: true, seq };
}

function failed(code: number, message: string): Ack {
  return { ok: false, error: { code, message } };
}
