/** Spring Boot's auto-configuration of the registry's client. */
package com.llm.schemaregistry.spring;
