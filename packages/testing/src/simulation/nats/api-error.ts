/** Refusals of JetStream, as the server words them (its errors.json). */
export type ApiError = { readonly code: number; readonly err_code: number; readonly description: string };

const refusal = (code: number, err_code: number, description: string): ApiError => ({
  code,
  err_code,
  description,
});

export const UNAVAILABLE: ApiError = refusal(503, 10008, "JetStream system temporarily unavailable");
export const NO_MESSAGE: ApiError = refusal(404, 10037, "no message found");
export const TOO_LARGE: ApiError = refusal(400, 10054, "message size exceeds maximum allowed");
export const NO_STREAM: ApiError = refusal(404, 10059, "stream not found");
export const FULL: ApiError = refusal(503, 10077, "maximum bytes exceeded");
/** Another append with the same guard is on its way through the replicas. */
export const IN_FLIGHT: ApiError = refusal(400, 10164, "wrong last sequence");

export function wrongLastSequence(last: number): ApiError {
  return refusal(400, 10071, `wrong last sequence: ${last}`);
}
