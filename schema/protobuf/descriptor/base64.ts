/** Schema texts that are a FileDescriptorProto in base64, as some clients send them. */
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The descriptor in a base64 text, or undefined where there is none. */
export function decodeDescriptor(text: string): FileDescriptorProto | undefined {
  const trimmed = text.trim();
  if (!BASE64.test(trimmed)) return undefined;
  try {
    const descriptor = fromBinary(FileDescriptorProtoSchema, decodeBase64(trimmed));
    // Any bytes may happen to decode; unknown fields alone describe nothing.
    const isEmpty =
      descriptor.name === "" &&
      descriptor.package === "" &&
      descriptor.messageType.length + descriptor.enumType.length + descriptor.service.length === 0;
    return isEmpty ? undefined : descriptor;
  } catch {
    // The library throws on malformed bytes; a text that is not a descriptor is parsed as .proto text.
    return undefined;
  }
}

export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // String.fromCharCode takes its characters as arguments, and a stack holds only so many.
  for (let at = 0; at < bytes.length; at += 8_192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  return btoa(parts.join(""));
}
