/**
 * Gives a document a marker before anything is counted in it.
 *
 * Where an increment's answer was lost and the document has no marker afterwards, it might never have had one, or have lost
 * it together with the increment. A marker that was there before leaves only the second. Whether this write's own answer
 * arrives does not matter: it adds nothing.
 */

import type { Marker } from "./marker.js";
import type { Patience, RemoteDocument, RemoteDocuments } from "./remote-documents.js";

/** Throws VersionMismatchError where the database does not have `document` any more. */
export function openMarker(
  remote: RemoteDocuments,
  name: string,
  { text, version }: RemoteDocument,
  patience: Patience,
): Promise<RemoteDocument> {
  const marker: Marker = { since: version + 1, writers: new Map() };
  return remote.write(name, text ?? "{}", marker, version, patience);
}
