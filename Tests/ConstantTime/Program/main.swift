import CMemcheck
import Glibc

/// `make constant-time`: shows that no branch and no address depends on a secret where MACs, TACs and tokens are compared, and
/// in the bit-sliced DES with the passes that the module makes of it. The method: secrets are marked as never written, and
/// valgrind's memcheck reports every branch and every address that depends on such bytes (A. Langley's ctgrind).
guard kmsd_is_watched() != 0 else {
    print("This program shows nothing outside of valgrind: make constant-time")
    exit(2)
}
var isRight = true
for check in Check.comparisons + Check.kernels + Check.lanes + Check.leaks + [Check.tables] {
    isRight = try check.isAsExpected() && isRight
}
print(isRight ? "constant time: shown" : "constant time: NOT shown")
exit(isRight ? 0 : 1)
