// What a program can ask of valgrind's memcheck while it runs in it; outside of valgrind all of it does nothing.
#pragma once
#include <stddef.h>
#include <valgrind/memcheck.h>

/// From here on the bytes count as never written: memcheck reports every branch and every address that depends on them.
static inline void kmsd_mark_secret(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }

/// The bytes may be known from here on: a verdict that is told anyway.
static inline void kmsd_mark_public(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_DEFINED(bytes, count); }

/// Reports so far, however often the same place was reported.
static inline unsigned kmsd_reports(void) { return VALGRIND_COUNT_ERRORS; }

static inline int kmsd_is_watched(void) { return RUNNING_ON_VALGRIND != 0; }
