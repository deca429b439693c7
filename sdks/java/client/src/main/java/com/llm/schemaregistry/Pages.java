package com.llm.schemaregistry;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterators;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A list that fetches its pages as they are needed. Iterating blocks while a page is fetched. */
public final class Pages<T> implements Iterable<T> {
  static final class Page<T> {
    final List<T> items;
    final String nextCursor;

    Page(List<T> items, String nextCursor) {
      this.items = items;
      this.nextCursor = nextCursor;
    }
  }

  private final Function<String, Page<T>> fetch;

  Pages(Function<String, Page<T>> fetch) {
    this.fetch = fetch;
  }

  @Override
  public Iterator<T> iterator() {
    return new Iterator<>() {
      private Page<T> page;
      private int index;

      /** A page may be empty and still not be the last; only a missing cursor ends the list. */
      @Override
      public boolean hasNext() {
        while (page == null || index >= page.items.size()) {
          if (page != null && page.nextCursor == null) {
            return false;
          }
          page = fetch.apply(page == null ? null : page.nextCursor);
          index = 0;
        }
        return true;
      }

      @Override
      public T next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return page.items.get(index++);
      }
    };
  }

  public Stream<T> stream() {
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), 0), false);
  }
}
