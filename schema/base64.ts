/** Base64 with the two functions that browsers, Workers and Node all have. */

export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // String.fromCharCode takes its characters as arguments, whose number is limited by the stack.
  for (let at = 0; at < bytes.length; at += 8_192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  return btoa(parts.join(""));
}
