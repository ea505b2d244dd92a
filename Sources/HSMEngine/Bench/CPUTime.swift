// In whole-module builds the first C module that is loaded owns the types of <time.h>, and files that import Glibc alone need
// Glibc to be that module: this file, first of the room with a C import, keeps libcrypto from coming first.
import Glibc

/// Processor time of the calling thread, so that other programs on the machine do not count.
enum CPUTime {
    static var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
