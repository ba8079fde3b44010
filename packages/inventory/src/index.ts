export { captureInventory, type InventoryInput, type InventorySource } from './capture.js';
export type { Cause } from './causes.js';
export {
  assertSameInventory,
  type DiffOptions,
  type Duplicate,
  diffInventories,
  formatInventoryDiff,
  type InventoryDiff,
  type Mismatch,
  type OrderDifference,
  type Unstated,
} from './diff.js';
export { InventoryError, type InventoryErrorCode, isInventoryError } from './errors.js';
export { type Inventory, type InventoryEntry, normalizeName } from './inventory.js';
export type { LikelyRename } from './likely-renames.js';
export { type RenameRule, renamer } from './rename.js';
