/** The shortest possible function: returns the event. */
export const handler = async (event: unknown): Promise<unknown> => event;
