/** A schema and every file it imports as one FileDescriptorSet, as `protoc --include_imports` writes it: imports first. */
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { encodeBase64 } from "../../base64.ts";
import { toDescriptor } from "../descriptor/write.ts";
import type { ProtobufModel, ProtoFile } from "../model.ts";

export function bundleProtobuf(model: ProtobufModel): string {
  const ordered = new Set<ProtoFile>();
  const visit = (file: ProtoFile, path: ReadonlySet<ProtoFile>): void => {
    if (ordered.has(file) || path.has(file)) return;
    const deeper = new Set(path).add(file);
    for (const { path: imported } of file.imports) {
      const found = model.files.get(imported);
      if (found !== undefined) visit(found, deeper);
    }
    ordered.add(file);
  };
  visit(model.file, new Set());
  const set = create(FileDescriptorSetSchema, { file: [...ordered].map((file) => toDescriptor(model, file)) });
  return encodeBase64(toBinary(FileDescriptorSetSchema, set));
}
