/**
 * The stage of a stack, by the stack's name: `dev` and `dev-anything` are one person's trial; `staging` and
 * `staging-anything` are shared but contain no real data. Every other name counts as production, so that all rules
 * apply to a new stack.
 */
export type Stage = "trial" | "staging" | "production";

/** @param stack name of the stack */
export function stageOf(stack: string): Stage {
  if (/^dev(-|$)/.test(stack)) return "trial";
  if (/^staging(-|$)/.test(stack)) return "staging";
  return "production";
}
