"""What the registry answers, as its OpenAPI document has it. Members and values that this version does not know are kept."""

from typing import Any, Dict, List, Optional

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Reference(_Model):
    """The target of a schema's reference: a version of another subject."""

    name: str
    subject: str
    version: int


class SchemaProblem(_Model):
    """A rule that a schema breaks, or a warning about it."""

    rule: str
    message: str
    pointer: Optional[str] = None
    line: Optional[int] = None
    column: Optional[int] = None


class SchemaContent(_Model):
    """The immutable part of a version."""

    format: str
    dialect: Optional[str] = None
    content: Any = None
    references: List[Reference] = []
    contract: Optional[Dict[str, Any]] = None
    guid: str
    fingerprint: str


class SchemaRecord(_Model):
    """One registered version of a subject."""

    id: str
    subject: str
    context: str
    version: Optional[str] = None
    """The semantic version; None while a draft."""
    version_number: Optional[int] = None
    """The number within the subject, from 1; None while a draft."""
    format: str
    dialect: Optional[str] = None
    content: Any = None
    """A JSON value for formats written in JSON, text for Protobuf."""
    references: List[Reference] = []
    contract: Optional[Dict[str, Any]] = None
    guid: str
    confluent_id: Optional[int] = None
    fingerprint: Optional[str] = None
    """Absent on search hits."""
    state: str
    deleted: bool = False
    description: Optional[str] = None
    tags: List[str] = []
    owner: Optional[str] = None
    metadata: Dict[str, Any] = {}
    role: Optional[str] = None
    created_at: str
    created_by: str
    updated_at: str
    seq: int
    warnings: List[SchemaProblem] = []
    """Only in the answer to a registration."""
    stale: bool = False
    """Whether it came from an expired cache entry while the registry was away."""


class LatestVersion(_Model):
    version: Optional[str] = None
    version_number: Optional[int] = None
    id: str


class SubjectSummary(_Model):
    """A subject with its latest version, counts and settings."""

    subject: str
    context: str = "."
    latest: Optional[LatestVersion] = None
    versions: int = 0
    deleted_versions: int = 0
    drafts: int = 0
    level: Optional[str] = None
    policy: Optional[str] = None
    writers: Optional[str] = None
    mode: Optional[str] = None
    role: Optional[str] = None


class SearchHit(_Model):
    """A version that a search found, without content and fingerprint."""

    record: SchemaRecord
    score: float
    highlights: List[Dict[str, Any]] = []


class Witness(_Model):
    """A datum that the writer may produce and the reader refuses."""

    status: str
    datum: Any = None
    binary: Optional[str] = None
    reader_result: Optional[str] = None
    confirmed_by: Optional[str] = None
    reason: Optional[str] = None


class Difference(_Model):
    kind: str
    reader_pointer: Optional[str] = None
    writer_pointer: Optional[str] = None
    message: str
    severity: str
    fix: Optional[str] = None
    witness: Optional[Witness] = None
    version_number: Optional[int] = None
    direction: Optional[str] = None


class ComparedVersion(_Model):
    version: Optional[str] = None
    version_number: Optional[int] = None
    id: str
    compatible: bool


class Verdict(_Model):
    """The answer to a compatibility check, and the reason of a refused registration."""

    compatible: bool = False
    level: Optional[str] = None
    policy: Optional[str] = None
    writers: Optional[str] = None
    differences: List[Difference] = []
    differences_total: Optional[int] = None
    compared_versions: List[ComparedVersion] = []
    suggested_version: Optional[str] = None


class ValidationError(_Model):
    """One place where data violates the schema."""

    pointer: str
    message: str
    keyword: str
    expected: Optional[str] = None
    got: Optional[str] = None


class ValidationResult(_Model):
    valid: bool
    errors: List[ValidationError] = []
    warnings: List[SchemaProblem] = []
    engine: str
    """``local`` where this client decided, else the registry's engine."""
    stale: bool = False
    """Whether the schema came from an expired cache entry while the registry was away."""


class Projection(_Model):
    """A schema rewritten for one model provider."""

    profile: str
    loss: Optional[str] = None
    changes: List[Dict[str, Any]] = []
    decoder: Dict[str, Any] = {}
    fragment: Dict[str, Any] = {}


class DecodedAnswers(_Model):
    """A model's answer, turned back into data of the original schema."""

    answers: List[Dict[str, Any]]


class Health(_Model):
    status: str


class RegistryEvent(_Model):
    """One change of the registry: a CloudEvent with the log's seq."""

    id: str
    type: str
    subject: Optional[str] = None
    time: str
    data: Dict[str, Any]

    @property
    def seq(self) -> int:
        """The position to store once the event is handled, and to pass as ``after`` next time."""
        return int(self.data["seq"])
