package com.llm.schemaregistry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.llm.schemaregistry.errors.ApiException;
import com.llm.schemaregistry.errors.BadAnswerException;
import com.llm.schemaregistry.model.DecodedAnswer;
import com.llm.schemaregistry.model.Problem;
import com.llm.schemaregistry.model.SchemaRecord;
import com.llm.schemaregistry.model.SubjectSummary;
import com.llm.schemaregistry.model.Verdict;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How answers of the registry become exceptions and models. */
class AnswersTest {
  private static ApiException refusal(int status, String code) {
    Problem problem = code == null ? null : Problem.ofJson("{\"code\": \"" + code + "\", \"title\": \"T\", \"errors\": [{\"pointer\": \"/a\", \"rule\": \"r\", \"message\": \"m\"}]}");
    return ApiException.of(new ApiException.Refusal(status, problem, "req-1", Duration.ofSeconds(1), 2));
  }

  @ParameterizedTest
  @CsvSource({
    "bad_request,BadRequest", "unauthorized,Unauthorized", "forbidden,Forbidden", "not_found,NotFound", "conflict,Conflict",
    "version_exists,VersionExists", "protected,Protected", "frozen,Frozen", "incompatible_schema,IncompatibleSchema", "precondition_failed,PreconditionFailed",
    "precondition_required,PreconditionFailed", "invalid_schema,InvalidSchema", "unsupported,InvalidSchema", "too_complex,TooComplex",
    "payload_too_large,PayloadTooLarge", "rate_limited,RateLimited", "not_ready,Unavailable", "busy,Unavailable",
    "storage_full,StorageFull", "internal,ServerError", "teapot,Api"
  })
  void codesHaveTheirClass(String code, String name) {
    ApiException refused = refusal(400, code);

    assertEquals(name + "Exception", refused.getClass().getSimpleName());
    assertEquals(code, refused.code());
    assertEquals(2, refused.attempts());
    assertEquals("/a", refused.problem().orElseThrow().errors().get(0).pointer());
    assertTrue(refused.getMessage().contains("req-1"));
  }

  @ParameterizedTest
  @CsvSource({"429,RateLimited", "500,ServerError", "502,Unavailable", "503,Unavailable", "504,Unavailable", "418,Api"})
  void gatewaysHaveTheClassOfTheirStatus(int status, String name) {
    ApiException refused = refusal(status, null);

    assertEquals(name + "Exception", refused.getClass().getSimpleName());
    assertEquals("http_" + status, refused.code());
    assertTrue(refused.problem().isEmpty() && refused.retryAfter().isPresent());
  }

  @Test
  void modelsKeepWhatTheyDoNotKnow() {
    SchemaRecord record = SchemaRecord.ofJson("{\"id\": \"a\", \"novel\": {\"x\": [1, \"b\"]}, \"content\": \"syntax\", \"description\": null, \"state\": \"quarantined\", \"dialect\": \"2020-12\"}");

    assertEquals(Map.of("x", java.util.List.of(1, "b")), record.value("novel"));
    assertEquals("{\"x\":[1,\"b\"]}", record.json("novel"));
    assertEquals("syntax", record.content());
    assertEquals("quarantined", record.state());
    assertNull(record.description());
    assertNull(record.value("absent"));
    assertNull(record.json("absent"));
    assertTrue(record.toString().startsWith("SchemaRecord{"));
  }

  @Test
  void modelsReadEveryMember() {
    SubjectSummary subject = SubjectSummary.ofJson("{\"subject\": \"s\", \"context\": \".\", \"versions\": 2, \"deleted_versions\": 1, \"drafts\": 3, \"level\": \"FULL\", \"policy\": \"strict\", \"mode\": \"READWRITE\"}");
    assertEquals("s . 2 1 3 FULL strict READWRITE", String.join(" ", subject.name(), subject.context(), "" + subject.versions(), "" + subject.deletedVersions(), "" + subject.drafts(), subject.level(), subject.policy(), subject.mode()));
    Verdict verdict = Verdict.ofJson("{\"compatible\": true, \"level\": \"FULL\", \"policy\": \"strict\", \"suggested_version\": \"1.1.0\", \"differences\": [{\"kind\": \"K\", \"reader_pointer\": \"/a\", \"writer_pointer\": \"/b\", \"message\": \"m\", \"severity\": \"info\", \"fix\": \"f\", \"direction\": \"backward\", \"witness\": {\"status\": \"not_found\", \"reason\": \"r\", \"reader_result\": \"x\"}}]}");
    assertEquals("FULL strict 1.1.0", String.join(" ", verdict.level(), verdict.policy(), verdict.suggestedVersion()));
    var difference = verdict.differences().get(0);
    assertEquals("K /a /b m info f backward", String.join(" ", difference.kind(), difference.readerPointer(), difference.writerPointer(), difference.message(), difference.severity(), difference.fix(), difference.direction()));
    assertEquals("not_found r x", String.join(" ", difference.witness().status(), difference.witness().reason(), difference.witness().readerResult()));
    assertNull(difference.witness().datum());
    assertEquals("truncated m", DecodedAnswer.ofJson("{\"outcome\": \"truncated\", \"message\": \"m\"}").outcome() + " m");
  }

  @Test
  void textThatIsNoJsonIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> SchemaRecord.ofJson("<html>"));
    assertEquals(302, new BadAnswerException(302, "m", 1, null).status());
  }
}
