// Reads that are asked for more often than they need to run.

/**
 * Runs `read` soon; asked again meanwhile, it runs once more afterwards and never twice at a time.
 */
export function coalesced(read: () => Promise<void>, delay: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;
  async function run() {
    timer = undefined;
    running = true;
    again = false;
    try {
      await read();
    } finally {
      running = false;
      if (again) ask();
    }
  }
  function ask() {
    if (running) again = true;
    else timer ??= setTimeout(() => void run(), delay);
  }
  return ask;
}
