// The pages of the policy, by the names of their sections; what is on them is read when one is opened.

export const PAGE_NAMES = ["grid", "quiet", "batching", "rules", "sounds", "privacy", "context"] as const;
export type PageName = (typeof PAGE_NAMES)[number];
