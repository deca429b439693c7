/** The formats of JSON Schema, as checks in linear time for any text. */

export const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["date-time", isDateTime],
  ["date", isDate],
  ["time", isTime],
  ["duration", isDuration],
  ["email", isEmail],
  ["idn-email", isIdnEmail],
  ["hostname", isHostname],
  ["idn-hostname", isIdnHostname],
  ["ipv4", isIpv4],
  ["ipv6", isIpv6],
  ["uri", isUri],
  ["uri-reference", isUriReference],
  ["iri", isIri],
  ["iri-reference", isIriReference],
  ["uri-template", isUriTemplate],
  ["uuid", isUuid],
  ["json-pointer", isJsonPointer],
  ["relative-json-pointer", isRelativeJsonPointer],
  ["regex", isRegex],
]);

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined) return false;
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const days = Number(month) === 2 && isLeap ? 29 : (DAYS[Number(month) - 1] ?? 0);
  return Number(day) >= 1 && Number(day) <= days;
}

const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[zZ]|([+-])(\d\d):(\d\d))$/;

function isTime(text: string): boolean {
  const [, hour, minute, second, sign, offsetHour = "0", offsetMinute = "0"] = TIME.exec(text) ?? [];
  if (Number(hour) > 23 || Number(minute) > 59 || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return false;
  if (Number(second) < 60) return true;
  // A leap second is the last second of a day in UTC.
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1);
  const utc = (Number(hour) * 60 + Number(minute) - offset + 2_880) % 1_440;
  return Number(second) === 60 && utc === 1_439;
}

function isDateTime(text: string): boolean {
  return /^[tT]$/.test(text.charAt(10)) && isDate(text.slice(0, 10)) && isTime(text.slice(11));
}

const DURATION =
  /^P(?:\d+W|(?=\d|T\d)(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?)$/;

function isDuration(text: string): boolean {
  return DURATION.test(text);
}

const LOCAL_PART =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[ !#-[\]-~]|\\[ -~])*")$/;

function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  return at !== -1 && LOCAL_PART.test(text.slice(0, at)) && isMailDomain(text.slice(at + 1), isHostname);
}

function isIdnEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0)).replace(/[\u0080-\uffff]/g, "x");
  return at !== -1 && LOCAL_PART.test(local) && isMailDomain(text.slice(at + 1), isIdnHostname);
}

function isMailDomain(domain: string, isName: (text: string) => boolean): boolean {
  if (!domain.startsWith("[") || !domain.endsWith("]")) return isName(domain);
  const address = domain.slice(1, -1);
  return address.startsWith("IPv6:") ? isIpv6(address.slice(5)) : isIpv4(address);
}

const MAX_HOSTNAME_CHARACTERS = 253;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

function isHostname(text: string): boolean {
  return text.length <= MAX_HOSTNAME_CHARACTERS && text.split(".").every(isAsciiLabel);
}

function isAsciiLabel(label: string): boolean {
  if (!LABEL.test(label)) return false;
  if (!/^..--/.test(label)) return true;
  const unicode = /^xn--/i.test(label) ? decodePunycode(label.slice(4)) : undefined;
  return unicode !== undefined && !/^[\u0000-\u007f]*$/.test(unicode) && isUnicodeLabel(unicode);
}

/** RFC 5891 §4: the dots that count as separators, then every label separately. */
function isIdnHostname(text: string): boolean {
  if (text.length > MAX_HOSTNAME_CHARACTERS) return false;
  return text.split(/[.\u3002\uff0e\uff61]/).every((label) => {
    return /^[\u0000-\u007f]*$/.test(label) ? isAsciiLabel(label) : isUnicodeLabel(label);
  });
}

const EXCEPTIONS = "\u00df\u03c2\u06fd\u06fe\u0f0b\u3007";
const DISALLOWED = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/;
const VIRAMA = /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0e3a\u0f84\u1039\u17d2]$/;
const MAX_LABEL_CHARACTERS = 63;

/** RFC 5892: letters, digits and marks, with the contextual rules of its appendix A. */
function isUnicodeLabel(label: string): boolean {
  if (label === "" || label.length > MAX_LABEL_CHARACTERS || DISALLOWED.test(label)) return false;
  if (label.startsWith("-") || label.endsWith("-") || label.slice(2, 4) === "--" || /^\p{M}/u.test(label)) return false;
  if (/[\u0660-\u0669]/.test(label) && /[\u06f0-\u06f9]/.test(label)) return false;
  const characters = Array.from(label);
  return characters.every((character, index) => {
    const before = characters[index - 1] ?? "";
    const after = characters[index + 1] ?? "";
    switch (character) {
      case "\u00b7":
        return before === "l" && after === "l";
      case "\u0375":
        return /^\p{Script=Greek}$/u.test(after);
      case "\u05f3":
      case "\u05f4":
        return /^\p{Script=Hebrew}$/u.test(before);
      case "\u30fb":
        return /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(label.replaceAll("\u30fb", ""));
      case "\u200c":
      case "\u200d":
        return VIRAMA.test(before) || (character === "\u200c" && joins(before, after));
      default:
        return EXCEPTIONS.includes(character) || /^[-\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]$/u.test(character);
    }
  });
}

/** Scripts whose letters join, for the zero width non-joiner. */
function joins(before: string, after: string): boolean {
  const joining = /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}]$/u;
  return joining.test(before) && joining.test(after);
}

/** RFC 3492 §6.2; undefined for invalid Punycode. */
function decodePunycode(text: string): string | undefined {
  const delimiter = text.lastIndexOf("-");
  const output = Array.from(text.slice(0, Math.max(delimiter, 0)), (character) => character.charCodeAt(0));
  let [codePoint, index, bias] = [128, 0, 72];
  for (let at = delimiter + 1; at < text.length; ) {
    const start = index;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = punycodeDigit(text.charCodeAt(at));
      at += 1;
      if (digit === undefined) return undefined;
      index += digit * weight;
      const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < threshold) break;
      weight *= 36 - threshold;
      if (weight > 0x7fffffff) return undefined;
    }
    const length = output.length + 1;
    let delta = start === 0 ? Math.floor((index - start) / 700) : Math.floor((index - start) / 2);
    delta += Math.floor(delta / length);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    codePoint += Math.floor(index / length);
    if (codePoint > 0x10ffff) return undefined;
    index %= length;
    output.splice(index, 0, codePoint);
    index += 1;
  }
  return String.fromCodePoint(...output);
}

function punycodeDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x16;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  return code >= 0x61 && code <= 0x7a ? code - 0x61 : undefined;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

const MAX_IPV6_CHARACTERS = 45;

function isIpv6(text: string): boolean {
  if (text.length > MAX_IPV6_CHARACTERS) return false;
  const lastColon = text.lastIndexOf(":");
  const tail = text.slice(lastColon + 1);
  if (tail.includes(".")) return isIpv4(tail) && lastColon !== -1 && isIpv6(`${text.slice(0, lastColon + 1)}0:0`);
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}

const UNRESERVED = "\\-A-Za-z0-9._~";
const SUB_DELIMITERS = "!$&'()*+,;=";
/** RFC 3987 §2.2, and private use characters where a query allows them. */
const UCS = "\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}\\u{10000}-\\u{efffd}";
const PRIVATE_USE = "\\u{e000}-\\u{f8ff}\\u{f0000}-\\u{10fffd}";

type UriGrammar = { userInfo: RegExp; host: RegExp; path: RegExp; query: RegExp; fragment: RegExp };

function uriGrammar(extra: string, extraInQuery: string): UriGrammar {
  const plain = `${UNRESERVED}${SUB_DELIMITERS}${extra}`;
  const of = (characters: string) => new RegExp(`^(?:[${characters}]|%[0-9A-Fa-f]{2})*$`, "u");
  return {
    userInfo: of(`${plain}:`),
    host: of(plain),
    path: of(`${plain}/:@`),
    query: of(`${plain}${extraInQuery}/:@?`),
    fragment: of(`${plain}/:@?`),
  };
}

const URI_GRAMMAR = uriGrammar("", "");
const IRI_GRAMMAR = uriGrammar(UCS, PRIVATE_USE);
const URI_PARTS = /^(?:([^:/?#]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

function isUri(text: string): boolean {
  return isUriOf(URI_GRAMMAR, text, true);
}
function isUriReference(text: string): boolean {
  return isUriOf(URI_GRAMMAR, text, false);
}
function isIri(text: string): boolean {
  return isUriOf(IRI_GRAMMAR, text, true);
}
function isIriReference(text: string): boolean {
  return isUriOf(IRI_GRAMMAR, text, false);
}

function isUriOf(grammar: UriGrammar, text: string, isAbsolute: boolean): boolean {
  const [, scheme, authority, path = "", query = "", fragment = ""] = URI_PARTS.exec(text) ?? [];
  if (scheme === undefined ? isAbsolute : !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) return false;
  if (authority !== undefined && !isAuthority(grammar, authority)) return false;
  return grammar.path.test(path) && grammar.query.test(query) && grammar.fragment.test(fragment);
}

function isAuthority(grammar: UriGrammar, authority: string): boolean {
  const at = authority.lastIndexOf("@");
  if (at !== -1 && !grammar.userInfo.test(authority.slice(0, at))) return false;
  const place = authority.slice(at + 1);
  const [, literal, name = "", port = ""] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(place) ?? [];
  if (literal === undefined)
    return place === name + (place.length > name.length ? `:${port}` : "") && grammar.host.test(name);
  return isIpv6(literal) || /^[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+$/.test(literal);
}

const TEMPLATE_LITERAL = /^(?:[^\u0000-\u0020"<>\\^`{|}%\u007f]|%[0-9A-Fa-f]{2})*$/;
const TEMPLATE_NAME = "(?:\\w|%[0-9A-Fa-f]{2})(?:\\.?(?:\\w|%[0-9A-Fa-f]{2}))*(?:\\*|:[1-9]\\d{0,3})?";
const TEMPLATE_EXPRESSION = new RegExp(`^[+#./;?&=,!@|]?${TEMPLATE_NAME}(?:,${TEMPLATE_NAME})*$`);

function isUriTemplate(text: string): boolean {
  for (let at = 0; ; ) {
    const open = text.indexOf("{", at);
    const literal = open === -1 ? text.slice(at) : text.slice(at, open);
    if (!TEMPLATE_LITERAL.test(literal)) return false;
    if (open === -1) return true;
    const close = text.indexOf("}", open);
    if (close === -1 || !TEMPLATE_EXPRESSION.test(text.slice(open + 1, close))) return false;
    at = close + 1;
  }
}

function isUuid(text: string): boolean {
  return /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/.test(text);
}

function isJsonPointer(text: string): boolean {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(text);
}

function isRelativeJsonPointer(text: string): boolean {
  const [, rest] = /^(?:0|[1-9]\d*)(#|(?:\/.*)?)$/s.exec(text) ?? [];
  return rest !== undefined && (rest === "#" || isJsonPointer(rest));
}

function isRegex(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
