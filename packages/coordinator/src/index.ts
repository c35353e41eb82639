/** Tracks task dependencies and results. */
export { Coordinator, type CoordinatorOptions } from "./shell/coordinator.ts";
export {
  createNamespace,
  DURABILITIES,
  type Durability,
  type NamespaceConfig,
  type NamespaceOptions,
  openNamespace,
} from "./shell/namespace.ts";
