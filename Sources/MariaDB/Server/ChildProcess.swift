import CLinux
import Glibc

/// Starting a program with nothing of ours in its hands: no open files, no environment, signals at their defaults.
enum ChildProcess {
    /// Starts `program` with output appended to `log`; returns its process number, or the `errno` of the failure.
    ///
    /// It gets a process group of its own, so that a Ctrl-C in the terminal reaches us alone and we stop it in order.
    static func start(_ program: String, _ arguments: [String], log: String) throws(PrivateServerError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        let appending = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, log, appending, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // In the child, where no other thread can open one meanwhile: a pipe that stays open in there never ends for its reader.
        unsafe kmsd_spawn_close_from(&actions, 3)
        var every = sigset_t()
        var none = sigset_t()
        unsafe sigfillset(&every)
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &every)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
        var process: pid_t = 0
        let status = unsafe withTexts([program] + arguments) { argv in
            unsafe withTexts(environment) { envp in
                unsafe posix_spawn(&process, program, &actions, &attributes, argv, envp)
            }
        }
        guard status == 0 else { throw .programFailed(program: program, status: status) }
        return process
    }

    /// Waits for the end of `process` without taking it off the process table, so that its number stays its own.
    static func waitForEnd(of process: pid_t) {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Takes an ended process off the table; its raw wait status.
    @discardableResult
    static func collect(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Lends `texts` as the null-terminated array of C strings that `exec` wants.
    private static func withTexts<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        return unsafe pointers.withUnsafeBufferPointer { buffer in
            // The array has its terminating nil at least, so there is a base address.
            unsafe body(buffer.baseAddress!)
        }
    }
}
