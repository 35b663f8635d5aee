// The pages of the policy, read together when the first of them is opened: they are as much code as the rest of
// the window.

import BatchingSection from "./BatchingSection.svelte";
import ContextSection from "./ContextSection.svelte";
import GridSection from "./GridSection.svelte";
import PolicyPage from "./PolicyPage.svelte";
import PrivacySection from "./PrivacySection.svelte";
import QuietSection from "./QuietSection.svelte";
import RulesSection from "./RulesSection.svelte";
import SoundsSection from "./SoundsSection.svelte";

export { PolicyPage };

/** The pages by the names of their sections. */
export const PAGES = {
  grid: GridSection,
  quiet: QuietSection,
  batching: BatchingSection,
  rules: RulesSection,
  sounds: SoundsSection,
  privacy: PrivacySection,
  context: ContextSection,
};
