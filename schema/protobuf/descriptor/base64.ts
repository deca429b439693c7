/** Schema texts that are a FileDescriptorProto in base64, as some clients send them. */
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { decodeBase64 } from "../../base64.ts";

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The descriptor in a base64 text, or undefined if there is none. */
export function decodeDescriptor(text: string): FileDescriptorProto | undefined {
  const trimmed = text.trim();
  if (!BASE64.test(trimmed)) return undefined;
  try {
    const descriptor = fromBinary(FileDescriptorProtoSchema, decodeBase64(trimmed));
    // Arbitrary bytes may decode by chance, so a descriptor with only unknown fields is rejected.
    const isEmpty =
      descriptor.name === "" &&
      descriptor.package === "" &&
      descriptor.messageType.length + descriptor.enumType.length + descriptor.service.length === 0;
    return isEmpty ? undefined : descriptor;
  } catch {
    // The library throws on malformed bytes; such a text is parsed as .proto text.
    return undefined;
  }
}
