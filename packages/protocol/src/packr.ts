/**
 * The one configuration of msgpackr that Weft speaks: plain MessagePack (no msgpackr record extension, so that any
 * language can read it), with msgpackr's extensions for bigint above 64 bits and typed arrays.
 */
import { Packr } from "msgpackr";

export const packr: Packr = new Packr({ useRecords: false, moreTypes: true, variableMapSize: true });
