"""The registry's MCP server with the official Python client."""

import asyncio
import os
import unittest
import uuid

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["REGISTRY_URL"] + "/mcp"


async def with_session(work):
    async with streamable_http_client(URL) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            return await work(session)


class McpTest(unittest.TestCase):
    def test_registers_checks_and_reads(self):
        subject = f"mcp-{uuid.uuid4().hex}"
        schema = {"type": "object", "properties": {"id": {"type": "string"}}}

        async def work(session):
            tools = await session.list_tools()
            made = await session.call_tool(
                "register_schema", {"subject": subject, "format": "json-schema", "schema": schema}
            )
            checked = await session.call_tool(
                "check_compatibility", {"subject": subject, "schema": {**schema, "required": ["id"]}}
            )
            read = await session.read_resource(f"schema://{subject}/latest")
            return tools, made, checked, read

        tools, made, checked, read = asyncio.run(with_session(work))

        self.assertEqual(len(tools.tools), 12)
        self.assertEqual(structured(made)["version"], "1.0.0")
        self.assertFalse(structured(checked)["compatible"])
        self.assertEqual(structured(checked)["differences"][0]["witness"]["status"], "confirmed")
        self.assertIn('"id"', read.contents[0].text)

    def test_a_failed_tool_is_a_result(self):
        async def work(session):
            return await session.call_tool("get_schema", {"subject": "there-is-no-such-subject"})

        result = asyncio.run(with_session(work))

        self.assertTrue(getattr(result, "is_error", None) or getattr(result, "isError", None))
        self.assertIn("not_found", result.content[0].text)


def structured(result):
    value = getattr(result, "structured_content", None)
    return value if value is not None else result.structuredContent
