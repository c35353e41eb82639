/** Tracks task dependencies and results. */
export { Coordinator, type CoordinatorOptions } from "./shell/coordinator.ts";
export type { RetentionOptions } from "./shell/ledger-settings.ts";
export { type LogRecordView, viewRecord } from "./shell/log-record-view.ts";
export { acceptLog, examineLog, type LogExamination } from "./shell/log-repair.ts";
export {
  createNamespace,
  DURABILITIES,
  type Durability,
  type NamespaceConfig,
  type NamespaceOptions,
  openNamespace,
} from "./shell/namespace.ts";
export { skipRecord } from "./shell/skipped-records.ts";
