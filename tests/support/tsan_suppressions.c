/* What ThreadSanitizer cannot see: nng and OpenSSL count references with atomics in code that is not instrumented, so the last
 * owner destroying a lock looks like a race with whoever released it before.  Only the destroying of locks is silenced. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:pthread_mutex_destroy\n"
           "race:pthread_rwlock_destroy\n"
           "race:pthread_cond_destroy\n";
}
