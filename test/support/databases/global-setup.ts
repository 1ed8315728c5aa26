/** For vitest's `globalSetup`: costs nothing until a test asks for a shared server. */
import { offerSharedServers } from "./shared.js";

export default async function setup(): Promise<() => Promise<void>> {
  return await offerSharedServers();
}
