"""Compiles projected schemas with the engines that enforce them, and asks whether they take the sampled answers.

Run by run.ts. Reads {profile, name, schema, answers[], refused[]} one a line, writes one JSON report.
xgrammar is installed without its dependencies: it needs torch for bit masks on a GPU only, and compiling and matching
text works with a stand-in for it.
"""

import importlib.machinery
import json
import sys
import types
from collections import Counter


class _Anything(type):
    def __getattr__(cls, name):
        return _Stub


class _Stub(metaclass=_Anything):
    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return _Stub()

    def __getattr__(self, name):
        return _Stub()


for module_name in ["torch", "torch.nn", "torch.utils", "triton", "triton.language", "transformers"]:
    module = types.ModuleType(module_name)
    module.__getattr__ = lambda name: _Stub
    module.__path__ = []
    module.__spec__ = importlib.machinery.ModuleSpec(module_name, None)
    sys.modules[module_name] = module

import xgrammar  # noqa: E402
from google.genai import types as gemini  # noqa: E402
from llguidance import LLMatcher, LLTokenizer  # noqa: E402
from xgrammar.testing import _is_grammar_accept_string  # noqa: E402

TOKENIZER = LLTokenizer("byte")


def with_xgrammar(schema):
    grammar = xgrammar.Grammar.from_json_schema(json.dumps(schema), any_whitespace=True)
    return lambda value: _is_grammar_accept_string(grammar, json.dumps(value, ensure_ascii=False))


def with_llguidance(schema):
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema))
    problem = LLMatcher.validate_grammar(grammar, TOKENIZER)
    if problem:
        raise ValueError(problem)

    def accepts(value):
        matcher = LLMatcher(TOKENIZER, grammar)
        tokens = TOKENIZER.tokenize_str(json.dumps(value, ensure_ascii=False))
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    return accepts


def with_google(schema):
    """Fields that the older form does not know are refused by its model."""
    gemini.Schema.model_validate(schema)
    return lambda value: True


ENGINES = {
    "vllm": [("xgrammar", with_xgrammar)],
    "sglang": [("xgrammar", with_xgrammar)],
    "tensorrt-llm": [("xgrammar", with_xgrammar), ("llguidance", with_llguidance)],
    "openai-strict": [("xgrammar", with_xgrammar), ("llguidance", with_llguidance)],
    "anthropic-strict": [("xgrammar", with_xgrammar), ("llguidance", with_llguidance)],
    "gemini-response-schema": [("google-genai", with_google)],
}

counts = Counter()
problems = []
for line in sys.stdin:
    case = json.loads(line)
    for engine, compile_schema in ENGINES.get(case["profile"], []):
        key = f"{case['profile']} {engine}"
        try:
            accepts = compile_schema(case["schema"])
        except Exception as error:
            counts[f"{key} refused schemas"] += 1
            problems.append(f"{key} {case['name']}: {str(error)[:300]}")
            continue
        counts[f"{key} compiled schemas"] += 1
        for answer in case["answers"]:
            taken = accepts(answer)
            counts[f"{key} valid answers {'taken' if taken else 'refused'}"] += 1
            if not taken:
                problems.append(f"{key} {case['name']} refuses {json.dumps(answer)[:200]}")
        if engine == "google-genai":
            continue
        for answer in case["refused"]:
            counts[f"{key} invalid answers {'taken' if accepts(answer) else 'refused'}"] += 1

print(json.dumps({"counts": dict(sorted(counts.items())), "problems": problems[:40], "problemsTotal": len(problems)}, indent=2))
