/** Names that protoc derives from others. */

/** The default JSON name of a field: `foo_bar` becomes `fooBar`. */
export function defaultJsonName(name: string): string {
  return name.replace(/_+([^_]?)/g, (_, letter: string) =>
    letter >= "a" && letter <= "z" ? letter.toUpperCase() : letter,
  );
}

/** The name of the synthetic message of a map field: `foo_bar` becomes `FooBarEntry`. */
export function mapEntryName(fieldName: string): string {
  return `${fieldName.replace(/(?:^|_)_*([^_]?)/g, (_, letter: string) => (letter >= "a" && letter <= "z" ? letter.toUpperCase() : letter))}Entry`;
}
